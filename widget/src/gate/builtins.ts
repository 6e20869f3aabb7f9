/** The browser's own functions, taken before the page can change any, and hooks round those that the page gets. */

import { attempt } from "../scripts";

/** A window with its constructors: the page's own or that of a frame. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Realm = any;

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Args = any[];
type Method = (...args: Args) => unknown;

export const { apply, construct, defineProperty, getOwnPropertyDescriptor } = Reflect;

const taken = <T>(owner: object, name: string) => Function.prototype.call.bind((owner as Record<string, Method>)[name] as Method) as (self: unknown, ...args: Args) => T;

export const { prototype } = Element;
export const getAttribute = taken<string | null>(prototype, "getAttribute");
export const setAttribute = taken<void>(prototype, "setAttribute");
export const removeAttribute = taken<void>(prototype, "removeAttribute");
export const attributeNames = taken<string[]>(prototype, "getAttributeNames");
export const append = taken<void>(prototype, "append");
export const queryElement = taken<Iterable<Element>>(prototype, "querySelectorAll");
export const queryFragment = taken<Iterable<Element>>(DocumentFragment.prototype, "querySelectorAll");

/** Loads empty frames a second time, and knows one import map a page. */
export const isFirefox = CSS.supports("-moz-appearance:none");

type Owner = { prototype?: object };

/** `go` makes the call, with the arguments as they are by then, of the object itself or of the one that it stands for. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Around = (go: (self?: unknown) => any, self: any, args: Args) => unknown;

/**
 * Round methods, constructors or one half of properties, a blank between their names, of an object or of all that a class makes:
 * a proxy keeps name, length and statics, and reads as native code.
 */
export function hook(given: Owner | undefined, names: string, around: Around, half: "get" | "set" = "get"): void {
  for (const name of names.split(" ")) {
    const owner = given && name in given ? given : given?.prototype;
    const found = (owner && getOwnPropertyDescriptor(owner, name)) as Realm;
    const kind = found?.value ? "value" : half;
    const native = found?.[kind] as Method | undefined;
    if (!native?.call) continue;
    found[kind] = new Proxy(native, {
      apply: (_native, self, args) => around((real = self) => apply(native, real, args), self, args),
      construct: (_native, args, made) => around(() => construct(native, args, made), made, args) as object,
    });
    defineProperty(owner as object, name, found);
    if (native.prototype) native.prototype.constructor = found[kind]; // of classes
  }
}

/** Whether the call must wait, and for what; one that can't be judged is never made. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Check = (first: any, self: any, args: Args) => string[] | false | null | undefined;

/** What the caller gets while it must; without an answer, nothing. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Answer = (keys: string[], go: () => any, self: any, args: Args) => unknown;

export function guard(owner: Owner | undefined, names: string, check: Check, answer?: Answer): void {
  const around: Around = (go, self, args) => {
    let keys: string[] | false | null | undefined;
    try {
      keys = check(args[0], self, args);
    } catch {
      keys = [];
    }
    return keys ? answer?.(keys, go, self, args) : go();
  };
  hook(owner, names, around, "set");
}

interface Policy {
  createHTML(text: string): string;
  createScript(text: string): string;
  createScriptURL(text: string): string;
}

const same = (text: string) => text;
/** On pages that demand trusted types; where the page forbids ours, the browser refuses what we put back. */
const policy = attempt<Policy | undefined>(() => (window as Realm).trustedTypes?.createPolicy("consent", { createHTML: same, createScript: same, createScriptURL: same }));

/** What the page itself wrote, or what we made of it. */
export const trust = (kind: keyof Policy, text: string) => policy?.[kind](text) ?? text;
