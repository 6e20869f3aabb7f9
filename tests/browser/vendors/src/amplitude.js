import * as amplitude from "@amplitude/analytics-browser";

amplitude.init("0123456789abcdef0123456789abcdef", { serverZone: "EU", flushIntervalMillis: 100, autocapture: true });
amplitude.track("opened");
