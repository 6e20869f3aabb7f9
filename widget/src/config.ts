/** What the server puts into the script: one published version of one site, as tersely as it can. */

/** c cookie, l localStorage, s sessionStorage, i IndexedDB, k Cache Storage. */
export type ItemKind = "c" | "l" | "s" | "i" | "k";

/** A thing that a service stores: kind, lifetime (a letter of the vocabulary), name, e.g. `c1_ga_*` (one * allowed). */
export type StoredItem = `${ItemKind}${string}`;

/** Four letters of the vocabulary: country, countries of transfer, legal basis, how long data is kept. */
export type Facts = string;

export type Service = [provider: string, policy: string, facts: Facts, ...items: StoredItem[]];

export interface WidgetConfig {
  site: string;
  version: number;
  /** The version of the last material change: decisions on older ones are asked again. */
  material: number;
  /** The name that this script goes by in decisions. */
  script: string;
  /** How long a decision holds. */
  days: number;
  /** Where the cookie is valid; "" for this host only. */
  domain: string;
  position: "bottom_left" | "bottom_right";
  entry: "bottom_left" | "bottom_right" | "own_link";
  order: "accept_first" | "reject_first";
  /** The owner's colours, light and dark, as custom properties, and the styles of the form that was chosen. */
  css: string;
  /** Category first, its services after it. */
  categories: [category: string, ...services: string[]][];
  services: Record<string, Service>;
  /** Language -> its texts, a line each, the vocabulary last: see language.ts. */
  texts: Record<string, string>;
}

declare const SITE_CONFIG: WidgetConfig;

export const config = SITE_CONFIG;

/** The services of a category; of a service, itself. */
export function servicesOf(key: string): string[] {
  return config.categories.find(([category]) => category === key)?.slice(1) ?? [key];
}

export function itemsOf(service: string): StoredItem[] {
  return (config.services[service]?.slice(3) ?? []) as StoredItem[];
}
