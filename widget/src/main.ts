/** Start: release what is known to be granted, then ask or offer the way back. */
import { cleanRefused } from "./clean";
import { publishApi, type ConsentApi } from "./api";
import { wireActions } from "./actions";
import { catchUp, keepNewest, recallDecision, tellPage } from "./decide";
import { showEntry } from "./entry";
import { showNotice } from "./notice";
import { startOutbox } from "./outbox";
import { showPlaceholders } from "./placeholder";
import { bringsHeld, releaseGranted } from "./release";
import { keepShell } from "./shell";
import { isDecided, setDecision } from "./state";

/** Follows the page while it is read and for as long as it lives. */
function watch(): void {
  const look = (records: MutationRecord[]) => {
    keepShell();
    if (!records.some((record) => [...record.addedNodes].some(bringsHeld))) return;
    releaseGranted();
    showPlaceholders();
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
  document.addEventListener("DOMContentLoaded", () => {
    releaseGranted();
    showPlaceholders();
  });
}

function start(resolveReady: () => void): void {
  setDecision(recallDecision());
  releaseGranted();
  watch();
  tellPage("ready");
  resolveReady();
  if (isDecided()) {
    showEntry();
    setTimeout(cleanRefused); // a withdrawn script may have stored once more before the page went
  } else showNotice();
  showPlaceholders();
  startOutbox(keepNewest);
  addEventListener("pageshow", (event) => event.persisted && catchUp());
  document.addEventListener("visibilitychange", () => document.hidden || catchUp());
}

const page = window as { consent?: ConsentApi };
// A second tag of the same site must not release everything a second time.
if (!(page.consent?.ready instanceof Promise)) {
  wireActions();
  const resolveReady = publishApi();
  // A page that is only being prepared has not been shown to anybody: no tag runs, nothing is asked.
  if ((document as { prerendering?: boolean }).prerendering)
    document.addEventListener("prerenderingchange", () => start(resolveReady), { once: true });
  else start(resolveReady);
}
