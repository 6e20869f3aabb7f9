import { BrowserAgent } from "@newrelic/browser-agent/loaders/browser-agent";

const keys = { licenseKey: "NRJS-0123456789abcdef012", applicationID: "1" };
new BrowserAgent({
  info: { ...keys, beacon: "bam.eu01.nr-data.net", errorBeacon: "bam.eu01.nr-data.net", sa: 1 },
  init: { privacy: { cookies_enabled: true }, distributed_tracing: { enabled: true } },
  loader_config: { ...keys, accountID: "1", trustKey: "1", agentID: "1" },
});
