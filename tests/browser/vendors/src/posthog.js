import posthog from "posthog-js";

posthog.init("phc_stand_in", {
  api_host: "https://eu.i.posthog.com",
  defaults: "2025-05-24",
  opt_out_useragent_filter: true, // it keeps away from browsers that are driven
  request_batching: false,
});
posthog.capture("opened");
