/** Start: release what is known to be granted, then ask or offer the way back. */
import { follow, wireActions } from "./actions";
import { publishApi, type ConsentApi } from "./api";
import { cleanRefused } from "./clean";
import { ask, catchUp, decide, keepNewest, recallDecision, tellPage } from "./decide";
import { showAnnouncement } from "./announcement";
import { openJobs, readForeignDecision } from "./compat";
import { sendNext, startOutbox } from "./outbox";
import { showPlaceholders } from "./placeholder";
import { bringsHeld, releaseGranted } from "./release";
import { attempt } from "./scripts";
import { draw, keepShell } from "./shell";
import { current, isDecided, setDecision } from "./state";
import { applyGate, openGate } from "./gate";

function lookAgain(): void {
  releaseGranted();
  showPlaceholders();
}

/** Again whenever the page is made anew: document.open() takes every listener away. */
function listen(): void {
  const on = addEventListener;
  on("DOMContentLoaded", lookAgain);
  on("DOMContentLoaded", ask);
  // Sizes of places are known once the style sheets are there, and change with the window.
  on("load", showPlaceholders);
  on("resize", showPlaceholders);
  on("storage", catchUp); // another tab wrote its decision into the outbox
  on("pageshow", catchUp);
  on("visibilitychange", catchUp);
  on("visibilitychange", sendNext);
  on("online", sendNext);
  on("click", follow);
}

/** Follows the page while it is read and for as long as it lives. */
function watch(): void {
  listen();
  new MutationObserver((records) => {
    if (records.some(({ target }) => target === document)) listen();
    keepShell();
    // Of many nodes at once, looking at the whole page costs less than looking at each.
    if ((GATE && records.length > 9) || records.some((record) => [...record.addedNodes].some(bringsHeld))) lookAgain();
  }).observe(document, { childList: true, subtree: true });
}

/** What protects comes first, and what fails in one step must not keep the others. */
function start(): void {
  const steps = [
    () => setDecision(recallDecision()),
    ...(GATE ? [applyGate] : []),
    releaseGranted,
    watch,
    () => startOutbox(keepNewest),
    resolveReady,
    () => tellPage("ready"),
    begin,
    ...(ANNOUNCED ? [showAnnouncement] : []),
    showPlaceholders,
  ];
  for (const step of steps) attempt(step);
}

/** Asks, unless the visitor has answered. */
function begin(): void {
  const told = COMPAT && !current && readForeignDecision();
  if (told) draw(() => decide(told, "import", "api"));
  else ask();
  if (isDecided()) setTimeout(cleanRefused); // a withdrawn script may have stored once more before the page went
}

let resolveReady: () => void;
const page = window as { consent?: ConsentApi };
// A second tag of the same site must not release everything a second time.
if (!(page.consent?.ready instanceof Promise)) {
  if (GATE) openGate();
  if (COMPAT) openJobs();
  wireActions();
  resolveReady = publishApi();
  // A page that is only being prepared has not been shown to anybody: no tag runs, nothing is asked.
  if ((document as { prerendering?: boolean }).prerendering)
    document.addEventListener("prerenderingchange", start, { once: true });
  else start();
}
