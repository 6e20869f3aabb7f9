import mixpanel from "mixpanel-browser";

mixpanel.init("0123456789abcdef0123456789abcdef", {
  api_host: "https://api-eu.mixpanel.com",
  track_pageview: true,
  batch_requests: false,
  record_sessions_percent: 100,
});
mixpanel.track("opened");
