/** Decisions on their way to the server: kept until it answers, sent in order, one at a time. */
import { config } from "./config";
import { keepNewest } from "./decide";
import { base } from "./origin";
import { attempt } from "./scripts";
import type { Decision } from "./state";

export type Method = "accept_all" | "reject_all" | "save" | "service" | "withdraw" | "api" | "import" | "opt_out" | "limit_use" | "object" | "gpc" | "dnt";
export type Layer = "notice" | "preferences" | "placeholder" | "api" | "signal";

/** One decision as the server takes it. */
export interface Message extends Decision {
  decision_id: string;
  method: Method;
  layer: Layer;
  script: string;
  language: string;
}

const key = `consent_${config.site}_outbox`;
/** ms */
enum Delay {
  first = 2000,
  longest = 60000,
}

/** What this page knows of: the browser may store nothing, and another tab that decides in the same moment may write over it. */
let known: Message[] = [];
let isSending = false;
let delay: number = Delay.first;
let timer: number | undefined;
/** Came with our script: whoever writes has asked for the question. No identifier, everybody gets the same. */
let proof: string | undefined;

/** Without prototypes, and one by one: pages that give objects or arrays a `toJSON` would change the words. */
function spell(message: Message): string {
  return JSON.stringify({ __proto__: null, ...message, grants: { __proto__: null, ...message.grants } });
}

export function readOutbox(): Message[] {
  const messages = [...known];
  try {
    // Nothing stored is no list, either.
    messages.push(...(JSON.parse(localStorage.getItem(key) as string) as Message[]));
  } catch {}
  // Each once, as it was written last.
  return [...new Map(messages.filter((message) => message?.grants).map((message) => [message.decision_id, message])).values()];
}

export function writeOutbox(messages: Message[]): void {
  known = messages;
  try {
    if (messages.length) localStorage.setItem(key, `[${messages.map(spell)}]`);
    else localStorage.removeItem(key);
  } catch {}
}

/** Spread, so that visitors do not all come back in the same moment after an outage. */
function retryLater(): void {
  timer = setTimeout(sendNext, delay * (1 + Math.random() / 4));
  delay = Math.min(delay * 2, Delay.longest);
}

export async function sendNext(): Promise<void> {
  const message = readOutbox()[0];
  if (isSending || !message) return;
  const { decision_id } = message;
  clearTimeout(timer);
  isSending = true;
  // Not every browser tells it, and pages may clear it: then the server's refusal brings one.
  attempt(() => (proof ??= /"proof=([\w-]+)/.exec(JSON.stringify(performance.getEntries()))?.[1]));
  try {
    // In the address: a server of an earlier release, which knows no proof, takes the decision all the same.
    const response = await fetch(base + "/decisions?proof=" + proof, {
      method: "POST",
      body: spell(message), // with its marks: unasked.ts
      headers: { "content-type": "application/json" },
      credentials: "include",
      keepalive: true, // also when the page goes
    });
    // Only our server's own words end the matter: a proxy or a hotel's sign-in page may answer anything.
    const { event_id, type, status, proof: fresh } = (await response.json()) as { event_id?: string; type?: string; status: number; proof?: string };
    if (event_id !== decision_id) {
      if (fresh) {
        if (!proof) delay = 99; // at once; an old one waits as all else does, or servers that disagree would be asked for ever
        proof = fresh;
      }
      if (fresh || status > 428 || type?.[3] !== ":") throw status; // of our own server's others, whose types are URNs, none may get better
      console.warn("consent:", status, decision_id); // the same every time: it can never be recorded
    }
    writeOutbox(readOutbox().filter((other) => other.decision_id !== decision_id));
    delay = Delay.first;
    keepNewest();
    setTimeout(sendNext);
  } catch {
    retryLater();
  }
  isSending = false;
}
