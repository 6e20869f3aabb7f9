/** Tells the vendors' own code what was decided, by calls that are data: `consent_server/connectors.py` writes them. */
import type { Call, WidgetConfig } from "../config";
import type { Kit } from "../kit";
import type { Grants } from "../state";

declare const kit: Kit;
declare const SITE_CONFIG: WidgetConfig;

type Made = (...args: unknown[]) => unknown;

const page = window as unknown as Record<string, any>;
/** Service -> what its vendor was told last; nothing was granted before. */
const told: Record<string, unknown> = {};
const stopped: Record<string, unknown> = {};
/** Services whose library was not there when they were granted. */
const unheard: Record<string, unknown> = {};
/** Name -> calls for a function that the vendor's snippet has yet to make. */
const waiting: Record<string, unknown[][]> = {};
const [ahead, ...connectors] = SITE_CONFIG.connectors!;
let grants: Grants = kit.grants();
let isAhead = 1;

/** The snippet is whole when somebody looks at what it made: then ours come before the page's own calls. One that looks itself, to finish it, is told at the next look. */
function awaitFunction(name: string): unknown[][] {
  const calls: unknown[][] = [];
  let made: Made | undefined;
  Object.defineProperty(page, name, {
    configurable: true,
    set: (value) => (made = value),
    get: () => {
      made &&
        calls.splice(0).map((args) => {
          try {
            made!(...args);
          } catch {
            calls.push(args);
          }
        });
      return made;
    },
  });
  return calls;
}

/** What is not there, or fails, is not called; a queue whose methods are yet to come is told by their names. */
function reach(name: string, args: unknown[], isValue: boolean): boolean {
  try {
    const steps = name.split(".");
    const last = steps.pop() as string;
    let owner: any = page;
    for (const step of steps) {
      const [bare, isCalled] = step.split("(") as [string, string?];
      owner = isCalled ? owner[bare]() : owner[bare];
    }
    if (isValue) owner[last] = args[0];
    else if (Array.isArray(owner) && !(last in owner)) owner.push([last, ...args]);
    else owner[last](...args);
    return true;
  } catch {
    return false;
  }
}

/** Falsy where nobody heard it. */
function run([form, name, ...given]: Call): boolean | void {
  // A copy with the values that depend on grants or on the page, see `Call`.
  const args: unknown[] = JSON.parse(JSON.stringify(given), (_name, value) => {
    if (value[0] === "?") return grants[value.slice(1)] ? "granted" : "denied";
    if (METHODS && value[0] === "!") return !!grants[value.slice(1)];
    if (METHODS && value[0] === "$") return page[value.slice(1)];
    if (METHODS && value[0] === "*") return grants;
    return value;
  });
  if (METHODS && (form === "." || form === "=")) return reach(name, args, form === "=");
  if (WAITS && form === "~") page[name] ? page[name](...args) : (waiting[name] ??= awaitFunction(name)).push(args);
  else {
    const queue = (page[name] ??= []);
    const asArguments = function () {
      return arguments;
    } as Made;
    // A page that has begun with its queue before us is told first, too, unless the vendor's code has taken the queue over.
    queue[isAhead && queue.push === ([].push as Made) ? "unshift" : "push"](...(METHODS && form === "+" ? args : [asArguments(...args)]));
  }
  if (METHODS) return true;
}

ahead.map(run);

/** What was held is here now, perhaps: it may have kept a refusal from an earlier page, or wait to be told. */
function tellAgain(): void {
  for (const [key, granted] of connectors) if (unheard[key]) unheard[key] = !granted.map(run).every(Boolean);
}

// Scripts with an address, then those without, which have run when the page is told.
if (METHODS) for (const type of ["load", "consent:ready", "consent:change"]) document.addEventListener(type, tellAgain, true);

kit.followers.push(() => {
  isAhead = 0;
  grants = kit.grants();
  for (const [key, granted, refused, traits = 0] of connectors) {
    const isGranted = key ? grants[key] : kit.current();
    if (key && !isGranted === !told[key]) continue;
    told[key] = isGranted;
    const heard = (isGranted ? granted : refused)?.map(run);
    if (STOPS) stopped[key] = !isGranted && traits & 1 && (!METHODS || heard!.every(Boolean));
    if (METHODS) unheard[key] = isGranted && traits & 2 && !heard!.every(Boolean);
    if (STOPS && stopped[key]) kit.passed?.delete(key);
  }
  if (STOPS) kit.ran.splice(0, 1e5, ...kit.ran.filter((element) => !kit.keysOf(element).every((key) => stopped[key])));
});
