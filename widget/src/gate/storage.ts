/** Cookies and storage by the names that services use; the site's own names pass. */
import { apply, defineProperty, getOwnPropertyDescriptor, wrap, type Realm } from "./builtins";
import type { ItemKind } from "../config";
import { standIn } from "./later";
import { promiseLater } from "./network";
import { itemVerdict } from "./verdict";
import { later } from "./waiting";

const wait = (keys: string[], go: () => unknown) => later(keys, go);
const cookieName = (cookie: unknown) => (String(cookie).split(/[=;]/)[0] as string).trim();

/** `localStorage.name = value` reaches no setter of the prototype: the object itself must be another. */
function guardSpellings(realm: Realm, name: string, kind: ItemKind): void {
  const found = getOwnPropertyDescriptor(realm, name) ?? getOwnPropertyDescriptor(realm.Window.prototype, name);
  if (!found?.get) return;
  const native = found.get;
  let real: Storage | undefined;
  let proxy: Storage | undefined;
  const set = (target: Storage, key: string | symbol, write: () => boolean) => {
    const keys = typeof key === "string" && !(key in target.constructor.prototype) && itemVerdict(kind, key);
    if (!keys) return write();
    later(keys, write);
    return true;
  };
  found.get = function (this: unknown) {
    const storage = apply(native, this ?? realm, []) as Storage;
    if (storage === real) return proxy;
    real = storage;
    proxy = new Proxy(storage, {
      get: (target, key) => Reflect.get(target, key),
      set: (target, key, value) => set(target, key, () => Reflect.set(target, key, value)),
      defineProperty: (target, key, descriptor) => set(target, key, () => defineProperty(target, key, descriptor)),
    });
    reals.set(proxy, storage);
    kinds.set(storage, kind);
    return proxy;
  };
  defineProperty(realm, name, found);
}

const reals = new WeakMap<object, Storage>();
const kinds = new WeakMap<object, ItemKind>();

function guardStorage(realm: Realm): void {
  guardSpellings(realm, "localStorage", "l");
  guardSpellings(realm, "sessionStorage", "s");
  const { prototype } = realm.Storage;
  wrap(prototype, "setItem", (self: object, [name]: unknown[]) => itemVerdict(kinds.get(reals.get(self) ?? self) as ItemKind, name), (keys, _go, self: object, args: never[]) =>
    later(keys, () => (reals.get(self) ?? (self as Storage)).setItem(...(args as unknown as [string, string]))),
  );
  // The methods know native objects only.
  for (const name of ["getItem", "setItem", "removeItem", "clear", "key"]) {
    const method = prototype[name];
    prototype[name] = new Proxy(method, { apply: (target, self, args) => apply(target, reals.get(self as object) ?? self, args) });
  }
  const length = getOwnPropertyDescriptor(prototype, "length") as PropertyDescriptor;
  const native = length.get as () => number;
  length.get = function (this: object) {
    return apply(native, reals.get(this) ?? this, []) as number;
  };
  defineProperty(prototype, "length", length);
}

export function guardItems(realm: Realm): void {
  wrap(realm.Document.prototype, "cookie", (_self, [cookie]: unknown[]) => (/;\s*max-age=[0-]/i.test(String(cookie)) ? undefined : itemVerdict("c", cookieName(cookie))), wait, "set");
  const named = (kind: ItemKind) => (_self: unknown, [name]: unknown[]) => itemVerdict(kind, name);
  wrap(realm.CookieStore?.prototype, "set", (_self, [cookie]: unknown[]) => itemVerdict("c", (cookie as { name?: string })?.name ?? cookie), (keys, go) => (later(keys, go), Promise.resolve()));
  wrap(realm.IDBFactory?.prototype, "open", named("i"), (keys, go) => standIn(realm.IDBOpenDBRequest, keys, go));
  wrap(realm.CacheStorage?.prototype, "open", named("k"), promiseLater);
  guardStorage(realm);
}
