import { datadogRum } from "@datadog/browser-rum";

datadogRum.init({
  applicationId: "01234567-89ab-4def-8123-456789abcdef",
  clientToken: "pub0123456789abcdef0123456789abcdef",
  site: "datadoghq.eu",
  trackingConsent: window.waits ? "not-granted" : "granted", // a page may want it to wait for a yes
  sessionSampleRate: 100,
  sessionReplaySampleRate: 100,
  trackUserInteractions: true,
});
// A batch goes when it is full, or else after half a minute.
for (let count = 0; count < 60; count++) datadogRum.addAction("opened", { count });
