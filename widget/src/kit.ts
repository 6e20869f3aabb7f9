/** What the optional parts of the script (`parts/`) are given: each part is a function that the server adds where a site needs it. */
import type { Store } from "./clean";
import type { WidgetConfig } from "./config";
import type { Layer, Method } from "./outbox";
import { attempt } from "./scripts";
import type { Decision, Grants } from "./state";

/** Its making is cut out of the script of a site without parts, so that a wider kit costs such a site nothing. */
export interface Kit {
  config: WidgetConfig;
  /** Address of the public endpoints. */
  base: string;
  /** Our own element, while the page runs us. */
  tag: HTMLScriptElement | null;
  /** Called once when a decision may be known (none before a prerendered page is shown), and on each change: before anything is held or released. */
  followers: (() => void)[];
  /** The last decision, also an older one that is asked again, or one of a regime that asks less. */
  current(): Decision | undefined;
  isDecided(): boolean;
  /** What holds now, also before a decision. */
  grants(): Grants;
  /** As if the visitor had pressed a button. */
  decide(grants: Grants, method: Method, layer: Layer): void;
  /** Keeps a decision that was made elsewhere; `catchUp` brings the page in line with it. */
  writeDecision(decision: Decision): void;
  catchUp(): void;
  /** Marked elements whose code runs in this page. Whoever stopped one takes it out; what is refused and still in here makes a withdrawal reload the page. */
  ran: Element[];
  /** Services whose code the gate let into this page; likewise. */
  passed: Set<string> | undefined;
  /** What is cleaned of refused services. */
  stores: Store[];
  /** The categories and services that a marked element waits for. */
  keysOf(element: Element): string[];
  /** The services of a category; of a service, itself. */
  servicesOf(key: string): string[];
}

export type Part = (kit: Kit) => void;

export const followers: (() => void)[] = [];

/** What fails in one part must not keep the others. */
export function tellFollowers(): void {
  followers.forEach(attempt);
}
