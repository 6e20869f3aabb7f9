/** Decisions on their way to the server: kept until it answers, sent in order, one at a time. */
import { config } from "./config";
import { base } from "./origin";
import type { Decision } from "./state";

export type Method = "accept_all" | "reject_all" | "save" | "service" | "withdraw" | "api" | "import";
export type Layer = "notice" | "preferences" | "placeholder" | "api";

/** One decision as the server takes it. */
export interface Message extends Decision {
  decision_id: string;
  method: Method;
  layer: Layer;
  script: string;
  language: string;
}

const key = `consent_${config.site}_outbox`;
const firstDelay = 2000; // ms
const longestDelay = 60000;

let memory: Message[] | undefined; // only when the browser lets us store nothing
let afterAnswer: () => void;
let isSending = false;
let delay = firstDelay;
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

/** Spread, so that visitors do not all come back in the same moment after an outage. */
function retryLater(): void {
  timer = setTimeout(sendNext, delay * (1 + Math.random() / 4));
  delay = Math.min(delay * 2, longestDelay);
}

export function sendNext(): void {
  const message = readOutbox()[0];
  if (isSending || !message) return;
  clearTimeout(timer);
  isSending = true;
  fetch(base + "/decisions", {
    method: "POST",
    body: JSON.stringify(message),
    headers: { "content-type": "application/json" },
    credentials: "include",
    keepalive: true,
  })
    .then(async (response) => {
      // Only our server's own words end the matter: a proxy or a hotel's sign-in page may answer anything.
      const { event_id, status = 500 } = (await response.json()) as { event_id?: string; status?: number };
      const { decision_id } = message;
      if (event_id !== decision_id) {
        if (status > 499 || status === 429) return retryLater();
        console.warn("consent:", status, decision_id); // the same every time: it can never be recorded
      }
      writeOutbox(readOutbox().filter((other) => other.decision_id !== decision_id));
      delay = firstDelay;
      afterAnswer();
      setTimeout(sendNext);
    })
    .catch(retryLater)
    .finally(() => (isSending = false));
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
}
