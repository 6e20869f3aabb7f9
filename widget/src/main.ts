/** Start: release what is known to be granted, then ask or offer the way back. */
import { wireActions } from "./actions";
import { publishApi, type ConsentApi } from "./api";
import { cleanRefused } from "./clean";
import { catchUp, decide, keepNewest, recallDecision, tellPage } from "./decide";
import { showEntry } from "./entry";
import { openJobs, readForeignDecision } from "./compat";
import { showNotice } from "./notice";
import { sendNext, startOutbox } from "./outbox";
import { showPlaceholders } from "./placeholder";
import { bringsHeld, releaseGranted } from "./release";
import { draw, keepShell } from "./shell";
import { current, isDecided, setDecision } from "./state";
import { applyGate, openGate } from "./gate";

function lookAgain(): void {
  releaseGranted();
  showPlaceholders();
}

/** Follows the page while it is read and for as long as it lives. */
function watch(): void {
  new MutationObserver((records) => {
    keepShell();
    // Of many nodes at once, looking at the whole page costs less than looking at each.
    if (records.length > 9 || records.some((record) => [...record.addedNodes].some(bringsHeld))) lookAgain();
  }).observe(document, { childList: true, subtree: true });
  document.addEventListener("DOMContentLoaded", lookAgain);
  // Sizes of places are known once the style sheets are there, and change with the window.
  addEventListener("load", showPlaceholders);
  addEventListener("resize", showPlaceholders);
  addEventListener("storage", catchUp); // another tab wrote its decision into the outbox
  addEventListener("pageshow", catchUp);
  document.addEventListener("visibilitychange", () => {
    catchUp();
    sendNext();
  });
}

function start(resolveReady: () => void): void {
  setDecision(recallDecision());
  if (GATE) applyGate();
  releaseGranted();
  watch();
  tellPage("ready");
  resolveReady();
  const told = COMPAT && !current && readForeignDecision();
  if (told) draw(() => decide(told, "import", "api"));
  else if (isDecided()) {
    showEntry();
    setTimeout(cleanRefused); // a withdrawn script may have stored once more before the page went
  } else showNotice();
  showPlaceholders();
  startOutbox(keepNewest);
}

const page = window as { consent?: ConsentApi };
// A second tag of the same site must not release everything a second time.
if (!(page.consent?.ready instanceof Promise)) {
  if (GATE) openGate();
  if (COMPAT) openJobs();
  wireActions();
  const resolveReady = publishApi();
  // A page that is only being prepared has not been shown to anybody: no tag runs, nothing is asked.
  if ((document as { prerendering?: boolean }).prerendering)
    document.addEventListener("prerenderingchange", () => start(resolveReady), { once: true });
  else start(resolveReady);
}
