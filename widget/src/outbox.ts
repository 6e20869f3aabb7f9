/** Decisions on their way to the server: kept until it answers, sent in order, one at a time. */
import { config } from "./config";
import { base } from "./origin";
import type { Grants } from "./state";

export type Method = "accept_all" | "reject_all" | "save" | "service" | "withdraw" | "api";
export type Layer = "notice" | "preferences" | "placeholder" | "api";

/** One decision as the server takes it. */
export interface Message {
  decision_id: string;
  subject_id: string;
  method: Method;
  layer: Layer;
  version: number;
  script: string;
  language: string;
  grants: Grants;
  decided_at: string;
}

const key = `consent_${config.site}_outbox`;
const refused = [400, 403, 404, 409, 410, 413, 422];
const firstDelay = 2000;

let memory: Message[] | undefined; // only when the browser lets us store nothing
let afterAnswer = (): void => {};
let sending = false;
let delay = firstDelay;
let notBefore = 0;
let timer: number | undefined;

export function readOutbox(): Message[] {
  if (memory) return memory;
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(stored) ? stored.filter((message) => message?.decision_id && message.grants) : [];
  } catch {
    return [];
  }
}

function writeOutbox(messages: Message[]): void {
  memory = undefined;
  try {
    if (messages.length) localStorage.setItem(key, JSON.stringify(messages));
    else localStorage.removeItem(key);
  } catch {
    memory = messages;
  }
}

function retryLater(seconds: number): void {
  notBefore = Date.now() + seconds * 1000;
  // Spread, so that visitors do not all come back in the same moment after an outage.
  timer = setTimeout(sendNext, Math.max(delay * (1 + Math.random() / 4), seconds * 1000));
  delay = Math.min(delay * 2, 60000);
}

function takeAnswer(message: Message, response: Response): void {
  const { status, headers } = response;
  const stored = status === 200 || status === 201;
  if (!stored && !refused.includes(status)) return retryLater(Number(headers.get("retry-after")) || 0);
  if (!stored) console.warn("consent: decision refused by the server", status, message.decision_id);
  writeOutbox(readOutbox().filter((other) => other.decision_id !== message.decision_id));
  delay = firstDelay;
  afterAnswer();
  setTimeout(sendNext);
}

export function sendNext(): void {
  const message = readOutbox()[0];
  if (sending || !message || Date.now() < notBefore) return;
  clearTimeout(timer);
  sending = true;
  fetch(base + "/decisions", {
    method: "POST",
    body: JSON.stringify(message),
    headers: { "content-type": "application/json" },
    credentials: "include",
    keepalive: true,
  }).then(
    (response) => {
      sending = false;
      takeAnswer(message, response);
    },
    () => {
      sending = false;
      retryLater(0);
    },
  );
}

export function addToOutbox(message: Message): void {
  writeOutbox([...readOutbox(), message]);
  sendNext();
}

/** Sends what earlier pages left, now and whenever sending may work again. */
export function startOutbox(answered: () => void): void {
  afterAnswer = answered;
  setTimeout(sendNext);
  addEventListener("online", sendNext);
  document.addEventListener("visibilitychange", () => document.hidden || sendNext());
}
