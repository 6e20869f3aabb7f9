/** Which services an address, a text or a stored name belongs to, and whether they are granted. */
import { config, itemsOf, type ItemKind } from "../config";
import { make } from "../element";
import { base } from "../origin";
import { covers } from "../patterns";
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
  let longest = 0;
  let keys: Keys = [];
  for (const [pattern, key] of patterns) {
    const { length } = pattern;
    if (length < longest || !(pattern.includes("/") ? (host + link.pathname).startsWith(pattern) : covers(pattern, host))) continue;
    if (length > longest) keys = [];
    longest = length;
    keys.push(key);
  }
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

export const verdictOfAny = (addresses: unknown) => [addresses].flat().map((address) => verdict(address)).find(Boolean);

function decode(data: string): string {
  try {
    return /;base64,/.test(data) ? atob(data.replace(/^.*?,/, "")) : decodeURIComponent(data);
  } catch {
    return data;
  }
}

/** For every full address in a text: a style sheet, a source set, a page for a frame. */
export function textVerdict(text: unknown, judgeOne: (address: string) => Keys | undefined = verdict): Keys | undefined {
  // As style sheets and scripts may write it: `\2d` is a hyphen, `\/` a slash.
  const plain = String(text).replace(/\\(?:([0-9a-f]{2,6})\s?|(?=\/))/gi, (_all, hex: string) => (hex ? String.fromCharCode(parseInt(hex, 16)) : ""));
  for (const [address] of plain.matchAll(/(\w+:)?\/\/[^\s"'`()<>,;\\]+/g)) {
    const keys = judgeOne(address);
    if (keys) return keys;
  }
  return undefined;
}

/** For styles: what their comments mention is not loaded. */
export const sheetVerdict = (text: unknown) => textVerdict(!STRICT ? text : String(text).replace(/("[^"]*"|'[^']*'|url\([^)]*\))|\/\*[^]*?\*\//g, "$1"));

/** In code an address may be a mere mention: only those of services count. */
const knownVerdict = (text: string): Keys | undefined => textVerdict(text, (address) => verdict(address, knownVerdict));

/** Short names of import maps -> what they stand for. */
const imports = new Map<string, unknown>();

export function readImportMap(text: string): void {
  try {
    const map = JSON.parse(text) as { imports?: Record<string, unknown> };
    for (const name in map.imports) imports.set(name, map.imports[name]);
  } catch {
    // nor does the browser read it
  }
}

/** What an inline script loads by `import`, which no function of ours can stop. */
export function importVerdict(code: unknown): Keys | undefined {
  for (const [, address] of String(code).matchAll(/\b(?:import|from|importScripts)\s*\(?\s*["'`]([^"'`\n]+)/g)) {
    const keys = verdict(imports.get(address as string) ?? address);
    if (keys) return keys;
  }
  return undefined;
}

/** A worker's own code is out of our reach: it waits as a whole. */
export const codeVerdict = (code: string) => importVerdict(code) ?? knownVerdict(code);

/** Read before a page for children has none but what is necessary. */
const stored = Object.keys(config.services).map((key) => [key, itemsOf(key)] as const);

/** For something stored: names that no service claims are the site's own. */
export function itemVerdict(kind: ItemKind, name: unknown): Keys | undefined {
  return judge(stored.filter(([, items]) => items.some((item) => item[0] === kind && covers(item.slice(2), String(name)))).map(([key]) => key));
}
