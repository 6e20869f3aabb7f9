/** The visitor decides: what must not be lost is kept in this task, then the page follows, and the server is told. */
import { cleanRefused } from "./clean";
import { asksNothing, config } from "./config";
import { formatDecision, readDecision, timeOf, writeDecision } from "./cookie";
import { isPart, showEntry } from "./entry";
import { tellFollowers } from "./kit";
import { chooseLanguage, language, Ui } from "./language";
import { hideNotice, showNotice } from "./notice";
import { readOutbox, sendNext, writeOutbox, type Layer, type Method } from "./outbox";
import { showPlaceholders } from "./placeholder";
import { hidePreferences } from "./preferences";
import { holdWithdrawn, releaseGranted } from "./release";
import { announce } from "./shell";
import { isSettled } from "./regime";
import { isSignalled, signal } from "./signals";
import { current, grantsWhere, isDecided, isGranted, isOverruled, publicGrants, setDecision, type Decision, type Grants } from "./state";
import { markUnasked } from "./unasked";
import { applyGate, isCodeStopped } from "./gate";

export function tellPage(type: "ready" | "change"): void {
  document.dispatchEvent(new CustomEvent("consent:" + type, { detail: { grants: publicGrants() } }));
}

/** 16 random bytes in hex. */
function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => (byte | 256).toString(16).slice(1)).join("");
}

/** A UUID version 7 (RFC 9562, 5.7): it begins with the time, so that the server's indices grow at their end. */
function makeDecisionId(): string {
  const time = "0" + Date.now().toString(16); // twelve digits until the year 2527
  return (time + randomId()).replace(/(.{8})(....)(...)(...)(.{12}).*/, "$1-$2-7$3-8$4-$5");
}

/** Holds from now on, and is asked no more. */
function take(decision: Decision): void {
  setDecision(decision);
  tellFollowers();
  if (isDecided()) hideNotice();
  hidePreferences();
}

/** Brings the page in line with the decision: by a reload where only that can stop what was withdrawn. */
function apply(): void {
  const needsReload = GATE ? !holdWithdrawn() || !isCodeStopped() : !holdWithdrawn();
  showPlaceholders(); // first, so that what is released is as the page made it
  if (GATE) applyGate();
  if (!needsReload) releaseGranted();
  tellPage("change");
  ask();
  cleanRefused();
  if (needsReload) location.reload();
}

/**
 * Remembers a decision in the browser, and in the outbox: nothing is lost from here on; the page has not followed yet. Later
 * than the last one also where the clock was set back meanwhile: what is later holds.
 */
function keep(grants: Grants, method: Method, layer: Layer): Decision {
  const decision = {
    version: config.version,
    subject_id: current?.subject_id ?? randomId(),
    decided_at: new Date(Math.max(Date.now(), current ? timeOf(current) * 1000 + 1000 : 0)).toISOString(),
    grants: REGIMES ? markUnasked(grants, method, config.regime?.name as string) : grants,
    signal,
  };
  writeDecision(decision);
  if (!language) chooseLanguage(); // of the words that were shown, if any were
  writeOutbox([...readOutbox(), { ...decision, decision_id: makeDecisionId(), method, layer, script: config.script, language }]);
  return decision;
}

/**
 * A signal that came since the last decision takes back what is sold or shared, once: what the visitor allows after that
 * stays, also when the signal goes and comes back (11 CCR 7025(c)(3)). Where it changes nothing, nothing is written: the
 * cookie that the server set would live on for seven days only in Safari.
 */
export function heedSignal(): void {
  if (asksNothing() || current?.signal === signal) return;
  if (isOverruled() || (REGIMES && !current && signal && config.sold.some((category) => config.regime?.runs.includes(category)))) {
    setDecision(keep(grantsWhere((key) => isGranted(key) && !isSignalled(key)), signal as Method, "signal"));
  }
}

export function decide(grants: Grants, method: Method, layer: Layer): void {
  if (asksNothing()) return;
  const follow = () => {
    void sendNext(); // before a reload
    apply();
    announce(Ui.saved);
  };
  const isFirst = !REGIMES && !current;
  take(keep(grants, method, layer));
  // Where nothing runs unasked, nothing has to stop: the visitor sees the answer first. Should the page go before, the
  // decision lies in the outbox.
  if (isFirst) setTimeout(follow, 120);
  else follow();
}

/**
 * Seconds, and a part of one by the subject: of one second the one that is met later holds, but two tabs, where each meets
 * the other's later, must come to the same. What is damaged is no number, and greater than none.
 */
const rank = (decision: Decision) => timeOf(decision) + (("0x" + decision.subject_id) as unknown as number) / 2 ** 128;

/** The decision that holds: an answer to an older one may have put its cookie over that of a newer one. */
export function recallDecision(): Decision | undefined {
  const decision = readDecision();
  return decision && readOutbox().reduce((found, one) => (rank(one) >= rank(found) ? one : found), decision);
}

const isSame = (one: Decision, other: Decision) => formatDecision(one) === formatDecision(other);

/** After each answer, which may have put an older decision into the cookie. */
export function keepNewest(): void {
  catchUp();
  if (!isSame(current as Decision, readDecision() ?? (current as Decision))) writeDecision(current as Decision);
}

/** Asks, or offers the way back. */
export function ask(): void {
  if (REGIMES ? isSettled() : isDecided()) showEntry();
  else if (!isPart()) showNotice();
}

/** The visitor decided in another tab, or on a page from before this one came back from the cache. */
export function catchUp(): void {
  const decision = recallDecision();
  if (!decision || (current && (rank(decision) < rank(current) || isSame(current, decision)))) return;
  take(decision);
  apply();
}
