/** Calls that wait for a decision, in the order in which they were made. */
import { attempt } from "../scripts";
import { isDecided } from "../state";
import { judge } from "./verdict";

type Call = [keys: string[], run: () => unknown, drop?: (() => void) | undefined];

/** Shown to the owner, too. */
export const calls: Call[] = [];

/** `drop` tells the caller that it will not be; what is refused is not kept. */
export function later(...call: Call): void {
  const [keys, , drop] = call;
  if (keys[0] && !isDecided()) calls.push(call);
  else if (drop) setTimeout(drop);
}

export function runWaiting(): void {
  for (const call of calls.splice(0)) judge(call[0]) ? later(...call) : attempt(call[1]); // noted as let in
}

/** Answers to a call that waits. */
export const answerLater = (answer?: unknown) => (keys: string[], go: () => unknown) => (later(keys, go), answer);

export const wait = answerLater();

/** Settles as the native call does once it may be made; refused, it fails as a lost line does. */
export const promiseLater = (keys: string[], go: () => unknown) =>
  new Promise((resolve, reject) => later(keys, () => resolve(go()), () => reject(new TypeError("Failed to fetch"))));
