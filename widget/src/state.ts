/** What the visitor decided, as this page knows it. */
import { asksNothing, config, servicesOf } from "./config";
import { isSignalled, type Signal } from "./signals";
import { Mark } from "./unasked";

/** Every optional category and service, true or false; of a decision, also its marks: see unasked.ts. */
export type Grants = Record<string, boolean>;

/** Named as the server's API names them: a message in the outbox is a decision, too. */
export interface Decision {
  version: number;
  subject_id: string;
  decided_at: string;
  grants: Grants;
  /** What the browser asked for then. */
  signal?: Signal; // left out in what earlier releases left in the outbox
}

export enum Category {
  necessary = "necessary",
}

/** The decision that holds in this page. */
export let current: Decision | undefined;

export function setDecision(decision: Decision | undefined): void {
  current = decision;
}

/** Whether no more ran unasked where it was decided than does here. Most scripts are those of regimes that ask. */
const isAskedEnough = () => current?.grants[!REGIMES ? Mark.asked : config.regime?.name === "exempt_analytics" ? Mark.any : ""] !== false;

/** A decision on an older version than the last material change is asked again, and one of a regime that asks less. */
export function isDecided(): boolean {
  return asksNothing() || ((current?.version as number) >= config.material && isAskedEnough()); // without one: false
}

/** Without a prototype: what a page adds to every object is nobody's grant. */
export const emptyGrants = (): Grants => Object.create(null) as Grants;

/** Whether the last decision says nothing of this category or service: it came later, or became another, or ran unasked. */
export const isNew = (key: string) => !isAskedEnough() || (current?.version ?? 0) < (config.news?.since[key] ?? 0);

/** What an earlier decision still says until the new answer: nothing of what is new, and of a category yes only where it covers all in it. */
function stillGranted(): Grants {
  const grants = emptyGrants();
  const said = (key: string) => (isNew(key) ? undefined : current?.grants[key]);
  for (const group of config.categories)
    for (const key of group) {
      const answers = [key, ...servicesOf(key)].map(said);
      if (answers.includes(false) || !answers.includes(undefined)) grants[key] = !answers.includes(false);
    }
  return grants;
}

/** What nobody answered runs where the regime lets it, unless it, or the category that it came into, was refused before. */
function runFirst(grants: Grants): void {
  for (const [category, ...services] of config.categories) {
    if (!config.regime?.runs.includes(category)) continue;
    for (const key of services.length ? services : [category])
      grants[key] ??= (current?.grants[key] ?? current?.grants[category]) !== false && !isSignalled(key);
    if (services.length) grants[category] = services.every((key) => grants[key]);
  }
}

/** What holds now; what is necessary is always granted, and always stands first (consent_server/snapshot.py). */
export function grantsNow(): Grants {
  const grants = NEWS ? stillGranted() : Object.assign(emptyGrants(), isDecided() && current?.grants);
  if (REGIMES) {
    runFirst(grants);
    for (const mark of [Mark.asked, Mark.any]) delete grants[mark];
  }
  for (const key of config.categories[0] as string[]) grants[key] = true;
  return grants;
}

/** A copy for the page. */
export const publicGrants = (): Grants => ({ ...grantsNow() });

/** Whether a category or service may run now; everything unknown may not. */
export function isGranted(key: string): boolean {
  return grantsNow()[key] === true;
}

/** Whether the visitor let run what a signal refuses: only they can. */
export const isOverruled = () => config.categories.flat().some((key) => isSignalled(key) && isGranted(key));

/** A complete map in which exactly these services (and categories without services) are granted. */
export function grantsWhere(isChosen: (key: string) => boolean): Grants {
  const grants = emptyGrants();
  for (const [category, ...services] of config.categories.slice(1)) {
    for (const service of services) grants[service] = isChosen(service);
    grants[category] = services.length ? services.every((service) => grants[service]) : isChosen(category);
  }
  return grants;
}
