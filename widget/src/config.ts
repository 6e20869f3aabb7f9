/** What the server puts into the script: one published version of one site. */

export interface Colours {
  accent: string;
  on_accent: string;
  text: string;
  surface: string;
}

export interface Theme {
  form: "box" | "bar" | "centred";
  position: "bottom_left" | "bottom_right";
  entry: "bottom_left" | "bottom_right" | "own_link";
  order: "accept_first" | "reject_first";
  radius: number;
  light: Colours;
  dark: Colours;
}

export interface Category {
  key: string;
  services: string[];
}

/** c cookie, l localStorage, s sessionStorage, i IndexedDB, k Cache Storage. */
export type ItemKind = "c" | "l" | "s" | "i" | "k";

/** Name (one trailing * allowed) and kind of a thing that a service stores. */
export type StoredItem = [name: string, kind: ItemKind];

export interface Service {
  policy: string;
  items: StoredItem[];
}

export interface ServiceTexts {
  name: string;
  purpose: string;
  provider: string;
  country: string;
  transfers: string;
  legal_basis: string;
  retention: string;
  items: string[];
}

export interface CategoryTexts {
  name: string;
  description: string;
  count: string;
}

export type InterfaceKey =
  | "heading" | "body" | "services_link" | "policy" | "policy_url" | "accept_all" | "reject_all"
  | "settings" | "preferences_heading" | "preferences_body" | "save" | "withdraw" | "close" | "entry"
  | "always_on" | "purpose_label" | "provider_label" | "transfers_label" | "legal_basis_label"
  | "retention_label" | "items_label" | "no_items" | "policy_label" | "decided" | "shown_link"
  | "id_label" | "held" | "allow_service" | "saved";

export interface Texts {
  ui: Record<InterfaceKey, string>;
  categories: Record<string, CategoryTexts>;
  services: Record<string, ServiceTexts>;
}

export interface WidgetConfig {
  site: string;
  version: number;
  material: number;
  script: string;
  days: number;
  domain: string;
  languages: string[];
  theme: Theme;
  categories: Category[];
  services: Record<string, Service>;
  texts: Record<string, Texts>;
}

declare const SITE_CONFIG: WidgetConfig;

export const config = SITE_CONFIG;
