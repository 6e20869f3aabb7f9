/** What the visitor decided, as this page knows it. */
import { config } from "./config";

/** Every optional category and service, true or false. */
export type Grants = Record<string, boolean>;

export interface Decision {
  version: number;
  /** Unix seconds. */
  time: number;
  subject: string;
  grants: Grants;
}

const necessary = config.categories.filter((category) => category.key === "necessary");
const always = necessary.flatMap((category) => [category.key, ...category.services]);
const optional = config.categories.filter((category) => category.key !== "necessary");

let current: Decision | undefined;

export function setDecision(decision: Decision | undefined): void {
  current = decision;
}

export function lastDecision(): Decision | undefined {
  return current;
}

/** A decision on an older version than the last material change is asked again. */
export function isDecided(): boolean {
  return !!current && current.version >= config.material;
}

/** Whether a category or service may run now; everything unknown may not. */
export function isGranted(key: string): boolean {
  return always.includes(key) || (isDecided() && current?.grants[key] === true);
}

/** A complete map in which exactly these services (and categories without services) are granted. */
export function grantsWhere(isChosen: (key: string) => boolean): Grants {
  const grants: Grants = {};
  for (const { key, services } of optional) {
    for (const service of services) grants[service] = isChosen(service);
    grants[key] = services.length ? services.every((service) => grants[service]) : isChosen(key);
  }
  return grants;
}
