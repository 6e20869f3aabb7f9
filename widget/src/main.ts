/** Start: release what is known to be granted, then ask or offer the way back. */
import { follow } from "./actions";
import { publishApi, resolveReady, type ConsentApi } from "./api";
import { cleanRefused, stores } from "./clean";
import { ask, catchUp, decide, heedSignal, recallDecision, tellPage } from "./decide";
import { showAnnouncement } from "./announcement";
import { forgetForeign, openJobs, readForeignDecision } from "./compat";
import { config, servicesOf } from "./config";
import { writeDecision } from "./cookie";
import { passed } from "./gate/verdict";
import { keysOf } from "./hold";
import { followers, tellFollowers } from "./kit";
import { base, tag } from "./origin";
import { showEntry } from "./entry";
import { makeWay } from "./notice";
import { sendNext } from "./outbox";
import { showPlaceholders } from "./placeholder";
import { bringsHeld, ran, releaseGranted } from "./release";
import { attempt } from "./scripts";
import { draw, keepShell } from "./shell";
import { isSignalled } from "./signals";
import { current, grantsNow, grantsWhere, isDecided, publicGrants, setDecision } from "./state";
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
  on("load", showEntry);
  on("resize", showPlaceholders);
  on("storage", catchUp); // another tab wrote its decision into the outbox
  // Firefox brings the cookie to a tab of another process on a way of its own, at times later.
  on("storage", () => setTimeout(catchUp, 250));
  on("pageshow", catchUp);
  on("visibilitychange", catchUp);
  on("visibilitychange", sendNext);
  on("online", sendNext);
  on("click", follow);
  on("focusin", makeWay);
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

/** What protects comes first. */
const steps = [
  () => setDecision(recallDecision()),
  heedSignal,
  tellFollowers,
  ...(GATE ? [applyGate] : []),
  releaseGranted,
  watch,
  () => {
    setTimeout(sendNext); // what earlier pages left
  },
  () => resolveReady(publicGrants()),
  () => tellPage("ready"),
  COMPAT ? begin : ask,
  cleanAgain,
  ...(ANNOUNCED ? [showAnnouncement] : []),
  showPlaceholders,
];

/** What fails in one step must not keep the others. */
function start(): void {
  steps.forEach(attempt);
}

/** Asks, unless the visitor has answered another manager. */
function begin(): void {
  const told = !current && readForeignDecision();
  // Nobody knows whether it was meant to hold against the signal.
  if (told) draw(() => {
      if (!current) decide(grantsWhere((key) => !!told[key] && !isSignalled(key)), "import", "api");
      forgetForeign();
    });
  else ask();
}

/** A withdrawn script may have stored once more before its page went. */
function cleanAgain(): void {
  if (isDecided()) setTimeout(cleanRefused);
}

// A second tag of the same site must not release everything a second time.
if (!(window as { consent?: ConsentApi }).consent?.ready?.then) {
  if (GATE) openGate();
  if (COMPAT) openJobs();
  publishApi();
  PARTS.forEach((part) =>
    attempt(() =>
      part({
        config,
        base,
        tag,
        followers,
        current: () => current,
        isDecided,
        grants: grantsNow,
        decide,
        writeDecision,
        catchUp,
        ran,
        passed: GATE ? passed : undefined,
        stores,
        keysOf,
        servicesOf,
      }),
    ),
  );
  // A page that is only being prepared has not been shown to anybody: no tag runs, nothing is asked.
  if ((document as { prerendering?: boolean }).prerendering)
    document.addEventListener("prerenderingchange", start, { once: true });
  else start();
}
