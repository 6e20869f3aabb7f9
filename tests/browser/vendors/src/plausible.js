import Plausible from "plausible-tracker";

const plausible = Plausible({ domain: "shop.example", trackLocalhost: true });
plausible.enableAutoPageviews();
plausible.trackEvent("opened");
