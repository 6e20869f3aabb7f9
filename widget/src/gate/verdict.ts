/** Which services an address, a text or a stored name belongs to, and whether they are granted. */
import { config, itemsOf, type ItemKind } from "../config";
import { make } from "../element";
import { base } from "../origin";
import { covers } from "../patterns";
import { attempt } from "../scripts";
import { isGranted } from "../state";

/** Any one of these lets it pass: what two services share is there as soon as one is allowed. */
type Keys = string[];

type Gate = NonNullable<typeof config.gate>;

export const patterns = Object.entries((config.gate as Gate).services).flatMap(([key, list]) => list.split(" ").map((pattern): [string, string] => [pattern, key]));

/** Services whose code was let into this page: withdrawn, only a reload stops them. */
export const passed = new Set<string>();

/** What must be granted first; undefined: nothing, let it pass. */
export function judge(keys: Keys): Keys | undefined {
  const granted = keys.find(isGranted);
  if (granted) passed.add(granted);
  return keys.length && !granted ? keys : undefined;
}

export function areAllGranted(): boolean {
  return !!patterns[0] && patterns.every(([, key]) => isGranted(key));
}

/** Reads an address as the page does, whatever the page calls its base. */
const link = make("a", { href: base });
/** In strict mode every host but these waits. */
export const own = STRICT ? (config.gate as Gate).allowed?.split(" ").concat(link.hostname, location.hostname, "www.w3.org") : undefined;

export function originOf(address: unknown): string {
  link.href = address as string;
  return link.origin;
}

/** For what `link` is: the longest pattern knows best, since a path is told from its host. */
function keysOfLink(isKnown: boolean): Keys {
  const host = link.hostname.replace(/\.$/, "");
  const found = patterns.filter(([pattern]) => (pattern.includes("/") ? (host + link.pathname).startsWith(pattern) : covers(pattern, host)));
  const longest = Math.max(...found.map(([{ length }]) => length));
  const keys = found.filter(([{ length }]) => length === longest).map(([, key]) => key);
  // What no service claims waits for one that does not exist.
  return !STRICT || keys[0] || isKnown || !host || own?.some((pattern) => covers(pattern, host)) ? keys : [""];
}

/** Address of a blob -> the text that it was made of, e.g. of a worker. */
export const blobs = new Map<string, string>();

/** For one address, as the page wrote it, or for a request; `ofText` judges the text that it may bring along. */
export function verdict(address: unknown, ofText: (text: string) => Keys | undefined = textVerdict): Keys | undefined {
  link.href = ((address as { url?: string } | undefined)?.url ?? address) as string;
  const { href, protocol } = link;
  if (protocol === "blob:") return ofText(blobs.get(href) ?? "");
  if (/^(data|javascript):/.test(protocol)) return ofText(decode(href));
  return judge(keysOfLink(ofText === knownVerdict));
}

function firstOf<T>(values: Iterable<T>, judgeOne: (value: T) => Keys | undefined): Keys | undefined {
  for (const value of values) {
    const keys = judgeOne(value);
    if (keys) return keys;
  }
  return undefined;
}

export const verdictOfAny = (addresses: unknown) => firstOf([addresses].flat(), verdict);

function decode(data: string): string {
  try {
    return /;base64,/.test(data) ? atob(data.split(",")[1] as string) : decodeURIComponent(data);
  } catch {
    return data;
  }
}

/** For every full address in a text: a style sheet, a source set, a page for a frame. */
export function textVerdict(text: unknown, judgeOne: (address: string) => Keys | undefined = verdict): Keys | undefined {
  // As style sheets and scripts may write it: `\2d` is a hyphen, `\/` a slash. Where every host waits, two slashes in an image are none.
  const unread = STRICT ? /\\(?:([0-9a-f]{2,6})\s?|(?=\/))|;base64,[\w+/=]*/gi : /\\(?:([0-9a-f]{2,6})\s?|(?=\/))/gi;
  const plain = String(text).replace(unread, (_all, hex: string) => (hex ? String.fromCharCode(parseInt(hex, 16)) : ""));
  return firstOf(plain.matchAll(/(\w+:)?\/\/[^\s"'`()<>,;\\]+/g), ([address]) => judgeOne(address));
}

/** For styles: what their comments mention is not loaded. */
export const sheetVerdict = (text: unknown) => textVerdict(!STRICT ? text : String(text).replace(/("[^"]*"|'[^']*'|url\([^)]*\))|\/\*[^]*?\*\//g, "$1"));

/** In code an address may be a mere mention: only those of services count. */
const knownVerdict = (text: string): Keys | undefined => textVerdict(text, (address) => verdict(address, knownVerdict));

/** Short names of import maps -> what they stand for. */
const imports = Object.create(null) as Record<string, unknown>;

export function readImportMap(text: string): void {
  attempt(() => Object.assign(imports, (JSON.parse(text) as { imports?: object }).imports)); // nor does the browser read one that is broken
}

/** What an inline script loads by `import`, which no function of ours can stop. */
export function importVerdict(code: unknown): Keys | undefined {
  return firstOf(String(code).matchAll(/\b(?:import|from|importScripts)\s*\(?\s*["'`]([^"'`\n]+)/g), ([, address]) => verdict(imports[address as string] ?? address));
}

/** A worker's own code is out of our reach: it waits as a whole. */
export const codeVerdict = (code: string) => importVerdict(code) ?? knownVerdict(code);

/** Read before a page for children has none but what is necessary. */
const stored = Object.keys(config.services).flatMap((key) => itemsOf(key).map((item) => [item, key] as const));

/** For something stored: names that no service claims are the site's own. */
export function itemVerdict(kind: ItemKind, name: unknown): Keys | undefined {
  return judge(stored.filter(([item]) => item[0] === kind && covers(item.slice(2), String(name))).map(([, key]) => key));
}
