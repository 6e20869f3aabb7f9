/** The visitor decides: everything in the page happens in this task, the server is told afterwards. */
import type { ConsentApi } from "./api";
import { cleanRefused } from "./clean";
import { config } from "./config";
import { formatDecision, readDecision, timeOf, writeDecision } from "./cookie";
import { showEntry } from "./entry";
import { chooseLanguage, language, Ui } from "./language";
import { hideNotice, showNotice } from "./notice";
import { addToOutbox, readOutbox, type Layer, type Method } from "./outbox";
import { showPlaceholders } from "./placeholder";
import { hidePreferences } from "./preferences";
import { holdWithdrawn, releaseGranted } from "./release";
import { announce } from "./shell";
import { current, isDecided, publicGrants, setDecision, type Decision, type Grants } from "./state";
import { applyGate, isCodeStopped } from "./gate";

export function tellPage(type: "ready" | "change"): void {
  document.dispatchEvent(new CustomEvent("consent:" + type, { detail: { grants: publicGrants() } }));
}

/** 16 random bytes in hex. */
function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => (byte | 256).toString(16).slice(1)).join("");
}

/** A UUID version 4 (RFC 9562, 5.4) by hand: crypto.randomUUID is missing on plain http. */
function makeDecisionId(): string {
  return randomId().replace(/(.{8})(....).(...).(...)/, "$1-$2-4$3-8$4-");
}

/** Brings the page in line with a decision; true when only a reload can stop what was withdrawn. */
function apply(decision: Decision): boolean {
  setDecision(decision);
  hidePreferences();
  if (isDecided()) hideNotice();
  const needsReload = !holdWithdrawn() || (GATE && !isCodeStopped());
  showPlaceholders(); // first, so that what is released is as the page made it
  if (GATE) applyGate();
  if (!needsReload) releaseGranted();
  tellPage("change");
  return needsReload;
}

export function decide(grants: Grants, method: Method, layer: Layer): void {
  chooseLanguage();
  const { version, script } = config;
  const decision = { version, subject_id: current?.subject_id ?? randomId(), decided_at: new Date().toISOString(), grants };
  writeDecision(decision);
  const needsReload = apply(decision);
  addToOutbox({ ...decision, decision_id: makeDecisionId(), method, layer, script, language });
  cleanRefused();
  if (needsReload) location.reload();
  ask();
  announce(Ui.saved);
}

/** The decision that holds: an answer to an older one may have put its cookie over that of a newer one. */
export function recallDecision(): Decision | undefined {
  const decision = readDecision();
  const unsent = readOutbox().pop();
  return decision && unsent && timeOf(unsent) >= timeOf(decision) ? unsent : decision;
}

const isSame = (one: Decision, other: Decision) => formatDecision(one) === formatDecision(other);

/** After each answer, which may have put an older decision into the cookie. */
export function keepNewest(): void {
  catchUp();
  const stored = readDecision();
  if (stored && !isSame(current as Decision, stored)) writeDecision(current as Decision);
}

/** Asks, or offers the way back. In a frame the page round it does so for both; of a stranger's page nobody is told. */
export function ask(): void {
  if (frameElement && (parent as { consent?: ConsentApi }).consent?.ready) return;
  if (isDecided()) showEntry();
  else showNotice();
}

/** The visitor decided in another tab, or on a page from before this one came back from the cache. */
export function catchUp(): void {
  const decision = recallDecision();
  if (!decision || (current && (timeOf(decision) < timeOf(current) || isSame(current, decision)))) return;
  if (apply(decision)) location.reload();
  ask();
}
