import { newTracker, trackPageView } from "@snowplow/browser-tracker";

newTracker("sp", "https://collector.snowplow-stand-in.com", { appId: "shop", contexts: { session: true } });
trackPageView();
