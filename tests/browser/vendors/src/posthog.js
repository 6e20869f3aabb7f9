import posthog from "posthog-js";

posthog.init("phc_stand_in", {
  api_host: "https://eu.i.posthog.com",
  defaults: "2025-05-24",
  opt_out_useragent_filter: true, // it keeps away from browsers that are driven
  request_batching: false,
  opt_out_capturing_by_default: !!window.waits, // a page may want it to wait for a yes
});
posthog.capture("opened");
// A connector finds it by this name.
window.posthog = posthog;
