/** What the server puts into the script: one published version of one site, as tersely as it can. */

/** c cookie, l localStorage, s sessionStorage, i IndexedDB, k Cache Storage. */
export type ItemKind = "c" | "l" | "s" | "i" | "k";

/** A thing that a service stores: kind, lifetime (a letter of the vocabulary), name, e.g. `c1_ga_*` (one * allowed). */
export type StoredItem = `${ItemKind}${string}`;

/** Four letters of the vocabulary: country, countries of transfer, legal basis, how long data is kept. */
export type Facts = string;

export type Service = [provider: string, policy: string, facts: Facts, ...items: StoredItem[]];

/**
 * What to call with which arguments: `+` puts them into a queue of that name, `@` puts them there as one `arguments`, `~` calls
 * what the vendor's snippet makes, also if that is yet to come, `=` sets a value, `.` calls a method (`a.b().c`).
 * In the arguments `?key` is "granted" or "denied", `!key` true or false, `$name` a value of the page, `*` all grants.
 */
export type Call = [form: "+" | "@" | "~" | "=" | ".", name: string, ...args: unknown[]];

/**
 * Service (or "": told at each decision); its calls once granted, and once refused; traits: 1 the latter stop it, 2 the
 * former are made until they are heard.
 */
export type Connector = [service: string, granted: Call[], refused?: Call[], traits?: number];

export interface WidgetConfig {
  site: string;
  version: number;
  /** The version of the last material change: decisions on older ones are asked again. */
  material: number;
  /** The name that this script goes by in decisions. */
  script: string;
  /** How long a decision holds. */
  days: number;
  /** Where the cookie is valid; without it, for this host only. */
  domain?: string;
  position: "bottom_left" | "bottom_right";
  entry: "bottom_left" | "bottom_right" | "own_link";
  /** In the order in which they stand. */
  answers: ("accept_all" | "reject_all")[];
  /** Categories that are sold or shared: opt-outs and signals refuse them. */
  sold: string[];
  /** Do Not Track means nothing here. */
  deaf?: 1;
  /** The signal that came with the request for this script. */
  signal?: "gpc";
  /** Where something runs before the visitor said so: its name, what runs, what uses sensitive data, and language -> labels: see regime.ts. */
  regime?: { name: "exempt_analytics" | "opt_out" | "notice_only" | "off"; runs: string[]; sensitive: string[]; said: Record<string, string[]> };
  /** The styles of the form that was chosen, then the owner's colours, light and dark, as custom properties. */
  css: string;
  /** Category first, its services after it. */
  categories: [category: string, ...services: string[]][];
  services: Record<string, Service>;
  /** For the gate: service -> its hosts and paths, and in strict mode the other hosts that are allowed, each after a blank. */
  gate?: { services: Record<string, string>; allowed?: string };
  /** Other consent managers that are understood, what their names are here, and whether their decisions are taken over. */
  compat?: { products: string[]; names: Record<string, string>; imports: boolean };
  /** After a material change: category or service -> the version since which it is what it is; and how what is new is told. */
  news?: { since: Record<string, number>; said: Record<string, string> };
  /** A change that is coming: days between which it is told, and language -> words and label of the button. */
  announcement?: { start: string; end: string; said: Record<string, [text: string, close: string]> };
  /** For the part that tells the vendors' own code: the calls before all others, then each connector. */
  connectors?: [Call[], ...Connector[]];
  /** What takes the place of the same fields on pages for children. */
  child?: Pick<WidgetConfig, "categories" | "services" | "texts">;
  /** Addresses of the site that decisions are handed over to: parts/handover.ts. */
  handOver?: string[];
  /** Language -> its texts, each after the separator that the first character is, the vocabulary last: see language.ts. */
  texts: Record<string, string>;
}

declare const SITE_CONFIG: WidgetConfig;

export const config = SITE_CONFIG;

/** Whether there is nothing but what is necessary, as for children. */
export const asksNothing = () => !config.categories[1];

/** The services of a category; of a service, itself. */
export function servicesOf(key: string): string[] {
  return config.categories.find(([category]) => category === key)?.slice(1) ?? [key];
}

export function itemsOf(service: string): StoredItem[] {
  return (config.services[service]?.slice(3) ?? []) as StoredItem[];
}
