import { AnalyticsBrowser } from "@segment/analytics-next";

const analytics = AnalyticsBrowser.load({ writeKey: "stand-in" });
analytics.page();
analytics.track("opened");
