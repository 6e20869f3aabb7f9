import * as amplitude from "@amplitude/analytics-browser";

amplitude.init("0123456789abcdef0123456789abcdef", {
  serverZone: "EU",
  flushIntervalMillis: 100,
  autocapture: true,
  optOut: !!window.waits, // a page may want it to wait for a yes
});
amplitude.track("opened");
// A connector finds it by this name.
window.amplitude = amplitude;
