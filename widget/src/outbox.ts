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

/** Without prototypes, and one by one: pages that give objects or arrays a `toJSON` would change the words. */
function spell(message: Message): string {
  return JSON.stringify({ __proto__: null, ...message, grants: { __proto__: null, ...message.grants } });
}

export function readOutbox(): Message[] {
  if (memory) return memory;
  try {
    const stored = JSON.parse(localStorage.getItem(key) ?? "[]") as Message[];
    return stored.filter((message) => message?.decision_id && message.grants);
  } catch {
    return [];
  }
}

function writeOutbox(messages: Message[]): void {
  memory = undefined;
  try {
    if (messages.length) localStorage.setItem(key, `[${messages.map(spell)}]`);
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

export async function sendNext(): Promise<void> {
  const message = readOutbox()[0];
  if (isSending || !message) return;
  const { decision_id } = message;
  clearTimeout(timer);
  isSending = true;
  try {
    const response = await fetch(base + "/decisions", {
      method: "POST",
      body: spell(message),
      headers: { "content-type": "application/json" },
      credentials: "include",
      keepalive: true, // also when the page goes
    });
    // Only our server's own words end the matter: a proxy or a hotel's sign-in page may answer anything.
    const { event_id, status = 500 } = (await response.json()) as { event_id?: string; status?: number };
    if (event_id !== decision_id) {
      if (status > 499 || status === 429) throw status;
      console.warn("consent:", status, decision_id); // the same every time: it can never be recorded
    }
    writeOutbox(readOutbox().filter((other) => other.decision_id !== decision_id));
    delay = firstDelay;
    afterAnswer();
    setTimeout(sendNext);
  } catch {
    retryLater();
  }
  isSending = false;
}

export function addToOutbox(message: Message): void {
  writeOutbox([...readOutbox(), message]);
  void sendNext();
}

/** Sends what earlier pages left, now and whenever sending may work again. */
export function startOutbox(answered: () => void): void {
  afterAnswer = answered;
  setTimeout(sendNext);
}
