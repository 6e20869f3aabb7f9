import { FullStory, init } from "@fullstory/browser";

init({ orgId: "o-STAND-IN-eu1" });
FullStory("trackEvent", { name: "opened", properties: {} });
