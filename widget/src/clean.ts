/** Removes what refused services have left in the browser, as far as script can reach it. */
import { config, itemsOf, type ItemKind, type StoredItem } from "./config";
import { visibleCookies, writeCookie } from "./cookie";
import { covers } from "./patterns";
import { isGranted } from "./state";

/** Host-only and on every parent domain, on every path from here to the root: nobody tells us where it was set. */
export function expireCookie(name: string): void {
  const labels = location.hostname.split(".");
  for (const domain of ["", ...labels.map((_, start) => labels.slice(start).join("."))]) {
    let path = "";
    // With and without a slash at the end; "" is the folder that the page lies in.
    for (const folder of location.pathname.split("/")) for (const part of [folder, "/"]) writeCookie(name + "=", 0, (path += part), domain);
  }
}

/** A kind of storage: its sign, the names of what is in it, and how one of them goes. */
export type Store = [kind: ItemKind, list: () => Iterable<string> | Promise<Iterable<string>>, remove: (name: string) => unknown];

/** The other kinds come with parts/stores.ts, where a service of the site has any. */
export const stores: Store[] = [
  ["c", () => visibleCookies().map((pair) => pair.split("=")[0] as string), expireCookie],
  ["l", () => Object.keys(localStorage), (name) => localStorage.removeItem(name)],
];

export function cleanRefused(): void {
  const kept: StoredItem[] = [];
  const gone: StoredItem[] = [];
  for (const service of Object.keys(config.services)) (isGranted(service) ? kept : gone).push(...itemsOf(service));
  stores.forEach(async ([kind, list, remove]) => {
    if (!gone.some((item) => item[0] === kind)) return;
    try {
      for (const name of await list()) {
        const isStored = (item: StoredItem) => item[0] === kind && covers(item.slice(2), name);
        if (gone.some(isStored) && !kept.some(isStored)) remove(name);
      }
    } catch {
      // storage that we may not open holds nothing that we could remove
    }
  });
}
