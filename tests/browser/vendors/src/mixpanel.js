import mixpanel from "mixpanel-browser";

mixpanel.init("0123456789abcdef0123456789abcdef", {
  api_host: "https://api-eu.mixpanel.com",
  track_pageview: true,
  batch_requests: false,
  opt_out_tracking_by_default: !!window.waits, // a page may want it to wait for a yes
  record_sessions_percent: 100,
});
mixpanel.track("opened");
// A connector finds it by this name.
window.mixpanel = mixpanel;
