import MatomoTracker from "@datapunt/matomo-tracker-js";

const tracker = new MatomoTracker({ urlBase: "https://stand-in.matomo.cloud/", siteId: 1 });
tracker.trackPageView();
