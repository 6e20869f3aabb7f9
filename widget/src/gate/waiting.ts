/** Calls that wait for a decision, in the order in which they were made. */
import { attempt } from "../scripts";
import { isDecided, isGranted } from "../state";

interface Call {
  keys: string[];
  run: () => unknown;
  drop?: (() => void) | undefined;
}

let calls: Call[] = [];

/** `drop` tells the caller that it will not be; what is refused is not kept. */
export function later(keys: string[], run: () => unknown, drop?: () => void): void {
  if (keys[0] && !isDecided()) calls.push({ keys, run, drop });
  else if (drop) setTimeout(drop);
}

export function runWaiting(): void {
  const now = calls;
  calls = [];
  for (const call of now) {
    if (call.keys.some(isGranted)) attempt(call.run);
    else if (!isDecided()) calls.push(call);
    else if (call.drop) attempt(call.drop);
  }
}
