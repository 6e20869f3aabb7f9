/** Which language the visitor reads: whole, never mixed. */
import { config } from "./config";
import { make, own } from "./element";

/** The interface texts in the order in which the server lists them (consent_server/widget.py). */
export enum Ui {
  nothing, // before the first separator
  direction,
  heading,
  body,
  services_link,
  policy,
  policy_url,
  accept_all,
  reject_all,
  settings,
  preferences_heading,
  preferences_body,
  save,
  withdraw,
  close,
  entry,
  always_on,
  provider_label,
  transfers_label,
  legal_basis_label,
  retention_label,
  items_label,
  no_items,
  decided,
  shown_link,
  id_label,
  held,
  allow_service,
  load_once,
  saved,
  honoured,
  length,
}

export type Texts = [name: string, description: string, count: string];

/**
 * The page's language, else the browser's, else the site's first one. What the page speaks where we stand is the browser's
 * to say: it knows nested lang, xml:lang and Content-Language, and that de-AT is de. Norwegian, no and nn, is read in nb.
 */
function choose(): string {
  const known = Object.keys(config.texts);
  const asked = [own("body") ?? own("documentElement"), ...navigator.languages.map((lang) => make("p", { lang }))];
  const speaks = (one: Element) => known.filter((code) => one.matches(`:lang(${code})` + (code === "nb" ? ",:lang(no),:lang(nn)" : "")));
  return asked.flatMap(speaks)[0] ?? (known[0] as string);
}

export let language: string;
export let ui: string[] = [];
/** Of each category and service; that of a service has no count. */
export const textsOf: Record<string, Texts> = {};

/** Words that many services share (countries, grounds, lifetimes), so that each travels once. */
let vocabulary: string[];

/** The word that the letter at this place stands for; "0" is the first. */
export function wordAt(letters: string, place: number): string | undefined {
  return vocabulary[letters.charCodeAt(place) - 48];
}

/** Read late: the page's language may be set after our script ran. */
export function chooseLanguage(): void {
  const chosen = choose();
  if (chosen === language) return;
  language = chosen;
  const texts = config.texts[language] as string;
  ui = texts.split(texts[0] as string);
  vocabulary = ui.splice(Ui.length);
  const next = () => vocabulary.shift() as string;
  for (const group of config.categories) for (const key of group) textsOf[key] = [next(), next(), key === group[0] ? next() : ""];
}

/** Puts values into {placeholders}. */
export function fill(text: Ui, values: Record<string, string>): string {
  return (ui[text] as string).replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
