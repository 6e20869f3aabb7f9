/** Removes what refused services have left in the browser, as far as script can reach it. */
import { config, type StoredItem } from "./config";
import { isGranted } from "./state";

function matches(items: StoredItem[], name: string, kind: string): boolean {
  return items.some(
    ([pattern, itemKind]) =>
      itemKind === kind && (pattern === name || (/.\*$/.test(pattern) && name.startsWith(pattern.slice(0, -1)))),
  );
}

/** Host-only and on every parent domain, on every path from here to the root: nobody tells us where it was set. */
function expireCookie(name: string): void {
  const labels = location.hostname.split(".");
  const folders = location.pathname.split("/");
  const secure = location.protocol === "https:" ? ";secure" : "";
  const domains = ["", ...labels.map((_, start) => ";domain=" + labels.slice(start).join("."))];
  const paths = folders.flatMap((_, end) => {
    const path = folders.slice(0, end + 1).join("/");
    return [path, path + "/"];
  });
  for (const domain of domains)
    for (const path of paths) document.cookie = `${name}=;max-age=0;path=${path || "/"}${domain}${secure}`;
}

export function cleanRefused(): void {
  const kept: StoredItem[] = [];
  const gone: StoredItem[] = [];
  for (const [key, { items }] of Object.entries(config.services)) (isGranted(key) ? kept : gone).push(...items);
  const isGone = (name: string, kind: string) => matches(gone, name, kind) && !matches(kept, name, kind);
  const has = (kind: string) => gone.some((item) => item[1] === kind);
  const attempt = (kind: string, clean: () => unknown) => {
    try {
      if (has(kind)) clean();
    } catch {
      // storage that we may not open holds nothing that we could remove
    }
  };
  const empty = (storage: Storage, kind: string) => {
    for (const name of Object.keys(storage)) if (isGone(name, kind)) storage.removeItem(name);
  };
  attempt("c", () => {
    for (const pair of document.cookie.split("; ")) {
      const name = pair.split("=")[0] ?? "";
      if (isGone(name, "c")) expireCookie(name);
    }
  });
  attempt("l", () => empty(localStorage, "l"));
  attempt("s", () => empty(sessionStorage, "s"));
  attempt("i", async () => {
    for (const { name = "" } of await indexedDB.databases()) if (isGone(name, "i")) indexedDB.deleteDatabase(name);
  });
  attempt("k", async () => {
    for (const name of await caches.keys()) if (isGone(name, "k")) void caches.delete(name);
  });
}
