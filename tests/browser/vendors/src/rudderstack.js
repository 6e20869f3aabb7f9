import { RudderAnalytics } from "@rudderstack/analytics-js/bundled";

const analytics = new RudderAnalytics();
analytics.load("stand-in", "https://stand-in.dataplane.rudderstack.com");
analytics.page();
