/** Cookies and storage by the names that services use; the site's own names pass. */
import type { ItemKind } from "../config";
import { defineProperty, guard, hook, type Realm } from "./builtins";
import { standIn } from "./later";
import { itemVerdict } from "./verdict";
import { later, promiseLater, wait } from "./waiting";

/** What the page sees as its storage -> the storage itself, and of which kind that is. */
const reals = new WeakMap<object, [storage: Storage, kind: ItemKind]>();

/** `localStorage.name = value` reaches no setter of the prototype: the object itself must be another. */
function guardSpelling(realm: Realm, property: string, kind: ItemKind): void {
  let proxy: object | undefined;
  const set = (key: string | symbol, write: () => boolean) => {
    const keys = typeof key === "string" && itemVerdict(kind, key);
    return keys ? (later(keys, write), true) : write();
  };
  const pretend = (go: () => Storage) => {
    const storage = go();
    proxy ??= new Proxy(storage, {
      get: (target, key) => Reflect.get(target, key),
      set: (target, key, value) => set(key, () => Reflect.set(target, key, value)),
      defineProperty: (target, key, descriptor) => set(key, () => defineProperty(target, key, descriptor)),
    });
    reals.set(proxy, [storage, kind]);
    return proxy;
  };
  hook(realm, property, pretend, "get");
}

export function guardItems(realm: Realm): void {
  const { Document, CookieStore, IDBFactory, CacheStorage, Storage } = realm;
  const ofCookie = (cookie: unknown) => itemVerdict("c", (String(cookie).split(/[=;]/)[0] as string).trim());
  // What takes a cookie away may always pass.
  guard(Document.prototype, "cookie", (cookie) => !/;\s*max-age=[0-]/i.test(cookie) && ofCookie(cookie), wait, "set");
  guard(CookieStore?.prototype, "set", (cookie) => ofCookie(cookie?.name ?? cookie), (keys, go) => (later(keys, go), Promise.resolve()));
  guard(IDBFactory?.prototype, "open", (name) => itemVerdict("i", name), (keys, go) => standIn(realm.IDBOpenDBRequest, keys, go));
  guard(CacheStorage?.prototype, "open", (name) => itemVerdict("k", name), promiseLater);
  guardSpelling(realm, "localStorage", "l");
  guardSpelling(realm, "sessionStorage", "s");
  // The methods know native objects only.
  hook(Storage.prototype, "getItem setItem removeItem clear key", (go, self: Storage, args) => {
    const [storage, kind] = reals.get(self) ?? [self];
    const keys = kind && args.length > 1 && itemVerdict(kind, args[0]);
    return keys ? later(keys, () => go(storage)) : go(storage);
  });
}
