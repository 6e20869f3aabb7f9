/** Cookies and storage by the names that services use; the site's own names pass. */
import type { ItemKind } from "../config";
import { defineProperty, guard, hook, type Realm } from "./builtins";
import { standIn } from "./later";
import { itemVerdict } from "./verdict";
import { answerLater, later, promiseLater, wait } from "./waiting";

/** What the page sees as its storage -> the storage itself, and of which kind that is. */
const reals = new WeakMap<object, [storage: Storage, kind: ItemKind]>();
/** The other way round, for events. */
const shown = new WeakMap<Storage, object>();

/** `localStorage.name = value` reaches no setter of the prototype: the object itself must be another. */
function guardSpelling(realm: Realm, property: string, kind: ItemKind): void {
  let proxy: object | undefined;
  const pretend = (go: () => Storage) => {
    const storage = go();
    proxy ??= new Proxy(storage, {
      get: (target, key) => target[key as string],
      // Setting a property comes to this, too.
      defineProperty(target, key, descriptor) {
        const keys = typeof key === "string" && itemVerdict(kind, key);
        const write = () => defineProperty(target, key, descriptor);
        return keys ? (later(keys, write), true) : write();
      },
    });
    reals.set(proxy, [storage, kind]);
    shown.set(storage, proxy);
    return proxy;
  };
  hook(realm, property, pretend);
}

export function guardItems(realm: Realm): void {
  const ofCookie = (cookie: unknown) => itemVerdict("c", (String(cookie).split(/[=;]/)[0] as string).trim());
  // What takes a cookie away may always pass.
  guard(realm.Document, "cookie", (cookie) => !/;\s*max-age=[0-]/i.test(cookie) && ofCookie(cookie), wait);
  guard(realm.CookieStore, "set", (cookie) => ofCookie(cookie?.name ?? cookie), answerLater(Promise.resolve()));
  guard(realm.IDBFactory, "open", (name) => itemVerdict("i", name), (keys, go) => standIn(keys, go, realm.IDBOpenDBRequest));
  guard(realm.CacheStorage, "open", (name) => itemVerdict("k", name), promiseLater);
  guardSpelling(realm, "localStorage", "l");
  guardSpelling(realm, "sessionStorage", "s");
  // Native code knows native objects only, and the page knows none.
  hook(realm, "StorageEvent", (go, _self, args) => {
    const [storageArea] = reals.get(args[1]?.storageArea) ?? [];
    if (storageArea) args[1] = { ...args[1], storageArea };
    return go();
  });
  hook(realm.StorageEvent, "storageArea", (go) => {
    const storage = go() as Storage;
    return shown.get(storage) ?? storage;
  });
  hook(realm.Storage, "getItem setItem removeItem clear key", (go, self: Storage, args) => {
    const [storage, kind] = reals.get(self) ?? [self];
    const keys = kind && args.length > 1 && itemVerdict(kind, args[0]);
    return keys ? later(keys, () => go(storage)) : go(storage);
  });
}
