import * as Sentry from "@sentry/browser";

Sentry.init({
  dsn: "https://0123456789abcdef0123456789abcdef@o1.ingest.de.sentry.io/1",
  integrations: [Sentry.browserTracingIntegration(), Sentry.replayIntegration({ minReplayDuration: 0 })],
  tracesSampleRate: 1,
  replaysSessionSampleRate: 1,
});
Sentry.captureMessage("opened");
// A connector finds it by this name.
window.Sentry = Sentry;
