/** The visitor decides: everything in the page happens in this task, the server is told afterwards. */
import { cleanRefused } from "./clean";
import { config } from "./config";
import { formatDecision, readDecision, writeDecision } from "./cookie";
import { showEntry } from "./entry";
import { chooseLanguage, textsIn } from "./language";
import { hideNotice, showNotice } from "./notice";
import { addToOutbox, readOutbox, type Layer, type Method } from "./outbox";
import { showPlaceholders } from "./placeholder";
import { hidePreferences } from "./preferences";
import { holdWithdrawn, releaseGranted } from "./release";
import { announce } from "./shell";
import { isDecided, lastDecision, setDecision, type Decision, type Grants } from "./state";

/** A copy for the page; `necessary` is always granted. */
export function publicGrants(): Grants {
  return { necessary: true, ...(isDecided() ? lastDecision()?.grants : undefined) };
}

export function tellPage(type: "ready" | "change"): void {
  document.dispatchEvent(new CustomEvent("consent:" + type, { detail: { grants: publicGrants() } }));
}

function randomBytes(count: number): number[] {
  return [...crypto.getRandomValues(new Uint8Array(count))];
}

/** By hand: crypto.randomUUID is missing on plain http. */
function makeDecisionId(): string {
  const bytes = randomBytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 15) | 64;
  bytes[8] = ((bytes[8] ?? 0) & 63) | 128;
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(....)(....)(....)/, "$1-$2-$3-$4-");
}

function makeSubject(): string {
  return btoa(String.fromCharCode(...randomBytes(16))).replace(/\+/g, "-").replace(/\//g, "_").slice(0, 22);
}

/** Brings the page in line with a decision; true when only a reload can stop what was withdrawn. */
function apply(decision: Decision | undefined): boolean {
  setDecision(decision);
  if (isDecided()) hideNotice();
  const needsReload = !holdWithdrawn();
  if (!needsReload) releaseGranted();
  showPlaceholders();
  tellPage("change");
  return needsReload;
}

export function decide(grants: Grants, method: Method, layer: Layer): void {
  const now = new Date();
  const subject = lastDecision()?.subject ?? makeSubject();
  const decision = { version: config.version, time: Math.floor(now.getTime() / 1000), subject, grants };
  const language = chooseLanguage();
  setDecision(decision);
  writeDecision(decision);
  hidePreferences();
  const needsReload = apply(decision);
  addToOutbox({
    decision_id: makeDecisionId(),
    subject_id: subject,
    method,
    layer,
    version: config.version,
    script: config.script,
    language,
    grants,
    decided_at: now.toISOString(),
  });
  cleanRefused();
  if (needsReload) location.reload();
  showEntry();
  announce(textsIn(language).ui.saved);
}

/** The decision that holds: an answer to an older one may have put its cookie over that of a newer one. */
export function recallDecision(): Decision | undefined {
  const decision = readDecision();
  const unsent = decision && readOutbox().pop();
  if (!unsent) return decision;
  const time = Math.floor(Date.parse(unsent.decided_at) / 1000);
  if (!(time >= decision.time)) return decision;
  return { version: unsent.version, time, subject: unsent.subject_id, grants: unsent.grants };
}

/** After each answer of the server: our newest decision stays the one in the cookie. */
export function keepNewest(): void {
  const stored = readDecision();
  const last = lastDecision();
  if (stored && last && stored.time <= last.time && formatDecision(stored) !== formatDecision(last)) writeDecision(last);
}

/** The visitor decided in another tab, or on a page from before this one came back from the cache. */
export function catchUp(): void {
  const decision = recallDecision();
  const last = lastDecision();
  if (!decision || (last && (decision.time < last.time || formatDecision(decision) === formatDecision(last)))) return;
  if (apply(decision)) location.reload();
  else if (isDecided()) showEntry();
  else showNotice();
}
