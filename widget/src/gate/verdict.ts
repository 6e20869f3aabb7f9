/** Which services an address, a text or a stored name belongs to, and whether they are granted. */
import { config, itemsOf, type ItemKind } from "../config";
import { base } from "../origin";
import { isGranted } from "../state";
import { pageAddress } from "./builtins";

/** Any one of these lets it pass: what two services share is there as soon as one is allowed. */
type Keys = string[];

const { services = {}, allowed } = config.gate ?? {};
const patterns = Object.entries(services).flatMap(([key, list]) => list.split(" ").map((pattern): [string, string] => [pattern, key]));
const isOwn = (host: string) => host === location.hostname || allowed?.split(" ").some((pattern) => coversHost(pattern, host));
const NativeUrl = URL;
const widgetHost = new NativeUrl(base, location.href).hostname;

/** Services whose code was let into this page: withdrawn, only a reload stops them. */
export const passed = new Set<string>();

function coversHost(pattern: string, host: string): boolean {
  return pattern[0] === "*" ? host.endsWith(pattern.slice(1)) : pattern === host;
}

/** What must be granted first; undefined: nothing, let it pass. */
export function judge(keys: Keys): Keys | undefined {
  const granted = keys.find(isGranted);
  if (granted) passed.add(granted);
  return keys.length && !granted ? keys : undefined;
}

export const areSomeGranted = (keys: Keys) => keys.some(isGranted);

/** Address of a blob -> the text that it was made of, e.g. of a worker. */
export const blobs = new Map<string, string>();

/** The longest pattern knows best: a path is told from its host. */
function keysOfAddress({ hostname, pathname }: URL): Keys {
  let longest = 0;
  let keys: Keys = [];
  const host = hostname.replace(/\.$/, "");
  for (const [pattern, key] of patterns) {
    if (pattern.length < longest || !(pattern.includes("/") ? (host + pathname).startsWith(pattern) : coversHost(pattern, host))) continue;
    if (pattern.length > longest) keys = [];
    longest = pattern.length;
    keys.push(key);
  }
  // In strict mode every other host waits for a service that does not exist.
  return keys[0] || allowed === undefined || !host || host === widgetHost || isOwn(host) ? keys : [""];
}

/** For one address, as the page wrote it. */
export function verdict(address: unknown): Keys | undefined {
  let url: URL;
  try {
    url = new NativeUrl(String(address), pageAddress());
  } catch {
    return undefined; // the browser cannot load it either
  }
  if (url.protocol === "blob:") return textVerdict(blobs.get(url.href) ?? "");
  if (/^(data|javascript):/.test(url.protocol)) return textVerdict(decode(url.href));
  return judge(keysOfAddress(url));
}

function decode(data: string): string {
  try {
    return /;base64,/.test(data) ? atob(data.replace(/^.*?,/, "")) : decodeURIComponent(data);
  } catch {
    return data;
  }
}

/** For every full address in a text: a style sheet, a source set, a page for a frame. */
export function textVerdict(text: unknown): Keys | undefined {
  const found = String(text).replace(/\\(?=\/)/g, "").match(/(\w+:)?\/\/[^\s"'()<>,;\\]+/g) ?? [];
  for (const address of found) {
    const keys = verdict(address);
    if (keys) return keys;
  }
  return undefined;
}

/** Short names of import maps -> what they stand for. */
const imports = new Map<string, unknown>();

export function readImportMap(text: string): void {
  try {
    const map = JSON.parse(text) as { imports?: object };
    for (const [name, address] of Object.entries(map.imports ?? {})) imports.set(name, address);
  } catch {
    // nor does the browser read it
  }
}

/** What an inline script loads by `import`, which no function of ours can stop. */
export function importVerdict(code: string): Keys | undefined {
  for (const [, address] of code.matchAll(/\b(?:import|from)\s*\(?\s*["'`]([^"'`\n]+)/g)) {
    const keys = verdict(imports.get(address as string) ?? address);
    if (keys) return keys;
  }
  return undefined;
}

/** For something stored: names that no service claims are the site's own. */
export function itemVerdict(kind: ItemKind, name: unknown): Keys | undefined {
  const isIt = (item: string) => {
    const [start = "", end] = item.slice(2).split("*");
    const text = String(name);
    return item[0] === kind && (end === undefined ? text === start : text.startsWith(start) && text.endsWith(end));
  };
  return judge(Object.keys(config.services).filter((key) => itemsOf(key).some(isIt)));
}
