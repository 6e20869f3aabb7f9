import Tracker from "@openreplay/tracker";

const tracker = new Tracker({
  projectKey: "stand-in",
  ingestPoint: "https://ingest.openreplay-stand-in.com/ingest",
  __DISABLE_SECURE_MODE: true,
});
tracker.start();
