/** Removes what refused services have left in the browser, as far as script can reach it. */
import { config, itemsOf, type ItemKind, type StoredItem } from "./config";
import { visibleCookies, writeCookie } from "./cookie";
import { covers } from "./patterns";
import { isGranted } from "./state";

/** Host-only and on every parent domain, on every path from here to the root: nobody tells us where it was set. */
function expireCookie(name: string): void {
  const labels = location.hostname.split(".");
  for (const domain of ["", ...labels.map((_, start) => labels.slice(start).join("."))]) {
    let path = "";
    // With and without a slash at the end; "" is the folder that the page lies in.
    for (const folder of location.pathname.split("/")) for (const part of [folder, "/"]) writeCookie(name + "=", 0, (path += part), domain);
  }
}

export function cleanRefused(): void {
  const kept: StoredItem[] = [];
  const gone: StoredItem[] = [];
  for (const service of Object.keys(config.services)) (isGranted(service) ? kept : gone).push(...itemsOf(service));
  const clean = async (kind: ItemKind, list: () => Iterable<string> | Promise<Iterable<string>>, remove: (name: string) => unknown) => {
    if (!gone.some((item) => item[0] === kind)) return;
    try {
      for (const name of await list()) {
        const isStored = (item: StoredItem) => item[0] === kind && covers(item.slice(2), name);
        if (gone.some(isStored) && !kept.some(isStored)) remove(name);
      }
    } catch {
      // storage that we may not open holds nothing that we could remove
    }
  };
  void clean("c", () => visibleCookies().map((pair) => pair.split("=")[0] as string), expireCookie);
  void clean("l", () => Object.keys(localStorage), (name) => localStorage.removeItem(name));
  void clean("s", () => Object.keys(sessionStorage), (name) => sessionStorage.removeItem(name));
  void clean("i", async () => (await indexedDB.databases()).map(({ name }) => name as string), (name) => indexedDB.deleteDatabase(name));
  void clean("k", () => caches.keys(), (name) => caches.delete(name));
}
