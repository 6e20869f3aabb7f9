/** Which service an address, a text or a stored name belongs to: the site's own, and all that the catalogue knows. */
import { page } from "./report";

export interface Match {
  /** Any one of these lets it pass. */
  services: string[];
  pattern: string;
}

export const serviceOf = (key: string) => FACTS.services[key] as KnownService;

const patterns = Object.entries(FACTS.services).flatMap(([key, { patterns }]) => patterns.map((pattern): [string, string] => [pattern, key]));

export function coversHost(pattern: string, host: string): boolean {
  return pattern[0] === "*" ? host.endsWith(pattern.slice(1)) : pattern === host;
}

/** The longest pattern knows best, as in the gate and in rewriting. */
export function matchAddress(address: string): Match | undefined {
  let found: Match | undefined;
  let url: URL;
  try {
    url = new URL(address, document.baseURI);
  } catch {
    return undefined; // the browser cannot load it either
  }
  for (const [pattern, key] of patterns) {
    if (found && pattern.length < found.pattern.length) continue;
    if (!(pattern.includes("/") ? (url.hostname + url.pathname).startsWith(pattern) : coversHost(pattern, url.hostname))) continue;
    if (found?.pattern.length === pattern.length) found.services.push(key);
    else found = { services: [key], pattern };
  }
  return found;
}

/** The first full address in a text that belongs to a service. */
export function matchText(text: string): Match | undefined {
  for (const [address] of text.replace(/\\(?=\/)/g, "").matchAll(/(?:https?:)?\/\/[\w.-]+\.\w+[^\s"'`()<>,;\\]*/g)) {
    const found = matchAddress(address);
    if (found) return found;
  }
  return undefined;
}

export function matchItem(kind: string, name: string): Match | undefined {
  const covers = (item: string) => {
    const [start = "", end] = item.slice(1).split("*");
    return item[0] === kind && (end === undefined ? name === start : name.startsWith(start) && name.endsWith(end));
  };
  const found = Object.entries(FACTS.services).flatMap(([key, { items }]) => items.filter(covers).map((item): [string, string] => [key, item.slice(1)]));
  // What a service of the site stores is not held against another one of the catalogue.
  const own = found.filter(([key]) => serviceOf(key).in_site);
  const [first] = own.length ? own : found;
  return first && { services: (own.length ? own : found).map(([key]) => key), pattern: first[1] };
}

const isNecessary = (key: string) => serviceOf(key).category === "necessary";

export function isGranted(key: string): boolean {
  return page.consent.grants[key] === true || isNecessary(key);
}

/** A match that nobody granted. */
export function isLeak({ services }: Match): boolean {
  return !services.some(isGranted);
}
