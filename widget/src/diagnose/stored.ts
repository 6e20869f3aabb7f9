/** Names of what lies in the browser, and whose it is; values are not looked at. */
import { isLeak, matchItem, serviceOf } from "./match";
import type { Leak, LeakKind, Report } from "./report";

type List = () => Iterable<string> | Promise<Iterable<string>>;

/** Kind -> the letter that items have in the script, and how they are listed. */
const places: [kind: LeakKind, letter: string, list: List][] = [
  ["cookie", "c", () => document.cookie.split("; ").map((pair) => pair.split("=")[0] as string).filter(Boolean)],
  ["local_storage", "l", () => Object.keys(localStorage)],
  ["session_storage", "s", () => Object.keys(sessionStorage)],
  ["indexed_db", "i", async () => (await indexedDB.databases()).map(({ name = "" }) => name)],
  ["cache_storage", "k", () => caches.keys()],
];

export async function readStored(): Promise<Pick<Report, "unknown_items"> & { leaked: Leak[] }> {
  const leaked: Leak[] = [];
  const unknown_items: Report["unknown_items"] = [];
  for (const [kind, letter, list] of places) {
    let names: Iterable<string> = [];
    try {
      names = await list();
    } catch {
      // what we may not open the page may not either
    }
    for (const name of names) {
      const match = matchItem(letter, name);
      if (!match) unknown_items.push({ kind, name });
      else if (isLeak(match)) leaked.push({ kind, name, services: match.services, pattern: match.pattern, in_site: match.services.some((key) => serviceOf(key).in_site) });
    }
  }
  return { leaked, unknown_items };
}
