/** The report: plain data, so that an owner can copy it as JSON. No values of cookies, no query of an address. */
import type { WidgetConfig } from "../config";
import type { Decision, Grants } from "../state";

export type Severity = "error" | "warning" | "advice";

export interface Finding {
  check: string;
  severity: Severity;
  text: string;
  /** Elements, keys or addresses that it is about. */
  details: string[];
}

export type Rule = "markup" | "gate" | "strict" | "compatible";

export interface HeldElement {
  element: string;
  condition: string;
  /** Terms of the condition that do not hold now. */
  waits_for: string[];
  rule: Rule;
  /** What the rule went by: a pattern of the site file, or the product whose mark-up it is. */
  because?: string;
  address?: string;
}

export interface ReleasedElement {
  element: string;
  condition: string;
}

export type LeakKind = "request" | "element" | "noscript" | "cookie" | "local_storage" | "session_storage" | "indexed_db" | "cache_storage";

export interface Leak {
  kind: LeakKind;
  /** Address without its query, or the name of what is stored. */
  name: string;
  services: string[];
  pattern: string;
  in_site: boolean;
  /** Began before the answer that holds now: perhaps it was granted then. */
  before_decision?: boolean;
  /** The element that asked, where one is still in the page. */
  element?: string;
}

export interface Fix {
  service: string;
  /** Where it stands; none where a script of the page asks for it. */
  element?: string;
  /** To be written in its place. */
  markup?: string;
  /** To be added to the site file, which does not know the service. */
  site_file?: string;
}

export interface Report {
  format: 1;
  page: string;
  time: string;
  site: string;
  version: number;
  script: string;
  /** SHA-256 of the script; none where the page runs another than the published one. */
  script_hash?: string;
  published_version: number;
  level: "declared" | "gate" | "strict";
  compatible: string[];
  decision: { decided: boolean; asked: boolean; version?: number; decided_at?: string; grants: Grants };
  checks: Finding[];
  leaked: Leak[];
  to_mark: Fix[];
  held: HeldElement[];
  /** Calls that the gate keeps, by what they wait for; none where it does not tell. */
  waiting_calls?: string[];
  released: ReleasedElement[];
  /** Service -> how many requests of it left after it was granted. */
  released_requests: Record<string, number>;
  unknown_hosts: { host: string; requests: number }[];
  unknown_items: { kind: LeakKind; name: string }[];
}

/** What the core of the page's script knows, handed over when the diagnosis is asked for. */
export interface Core {
  config: WidgetConfig;
  current: Decision | undefined;
  isAllowed(element: Element): boolean;
  /** Tells what the gate holds from what was marked. */
  isGated(element: Element): boolean;
  /** Calls that the gate keeps, each with the keys that it waits for. */
  calls?: readonly [keys: string[], ...unknown[]][] | undefined;
}

/** The page's own interface, as far as it is asked here. */
export const page = window as unknown as {
  consent: { grants: Grants; decided: boolean; ready: Promise<Grants>; diagnose(): Promise<unknown> };
};
