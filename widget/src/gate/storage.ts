/** Cookies and storage by the names that services use; the site's own names pass. */
import { apply, defineProperty, surround, wrap, type Realm } from "./builtins";
import type { ItemKind } from "../config";
import { standIn } from "./later";
import { promiseLater } from "./network";
import { itemVerdict } from "./verdict";
import { later } from "./waiting";

const wait = (keys: string[], go: () => unknown) => later(keys, go);
const cookieName = (cookie: unknown) => (String(cookie).split(/[=;]/)[0] as string).trim();

/** What the page sees as its storage -> the storage itself, and of which kind that is. */
const reals = new WeakMap<object, Storage>();
const kinds = new WeakMap<object, ItemKind>();

/** `localStorage.name = value` reaches no setter of the prototype: the object itself must be another. */
function guardSpelling(realm: Realm, property: string, kind: ItemKind): void {
  let proxy: object | undefined;
  surround(
    realm,
    property,
    (go) => {
      const storage = go() as Storage;
      const set = (key: string | symbol, write: () => boolean) => {
        const keys = typeof key === "string" && itemVerdict(kind, key);
        if (!keys) return write();
        later(keys, write);
        return true;
      };
      proxy ??= new Proxy(storage, {
        get: (target, key) => Reflect.get(target, key),
        set: (target, key, value) => set(key, () => Reflect.set(target, key, value)),
        defineProperty: (target, key, descriptor) => set(key, () => defineProperty(target, key, descriptor)),
      });
      reals.set(proxy, storage);
      kinds.set(storage, kind);
      return proxy;
    },
    "get",
  );
}

function guardStorage(realm: Realm): void {
  guardSpelling(realm, "localStorage", "l");
  guardSpelling(realm, "sessionStorage", "s");
  const { prototype } = realm.Storage;
  // The methods know native objects only.
  for (const name of ["getItem", "setItem", "removeItem", "clear", "key"]) {
    const native = prototype[name];
    surround(prototype, name, (_go, self: Storage, args) => {
      const real = reals.get(self) ?? self;
      const keys = name === "setItem" && itemVerdict(kinds.get(real) as ItemKind, args[0]);
      const go = () => apply(native, real, args);
      return keys ? later(keys, go) : go();
    });
  }
}

export function guardItems(realm: Realm): void {
  wrap(realm.Document.prototype, "cookie", (_self, [cookie]: unknown[]) => (/;\s*max-age=[0-]/i.test(String(cookie)) ? undefined : itemVerdict("c", cookieName(cookie))), wait, "set");
  const named = (kind: ItemKind) => (_self: unknown, [name]: unknown[]) => itemVerdict(kind, name);
  wrap(realm.CookieStore?.prototype, "set", (_self, [cookie]: unknown[]) => itemVerdict("c", (cookie as { name?: string })?.name ?? cookie), (keys, go) => (later(keys, go), Promise.resolve()));
  wrap(realm.IDBFactory?.prototype, "open", named("i"), (keys, go) => standIn(realm.IDBOpenDBRequest, keys, go));
  wrap(realm.CacheStorage?.prototype, "open", named("k"), promiseLater);
  guardStorage(realm);
}
