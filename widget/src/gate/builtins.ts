/** The browser's own functions, taken before the page can change any. */

/** A window with its constructors: the page's own or that of a frame. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Realm = any;

export type Args = unknown[];
export type Method = (...args: never[]) => unknown;

export const { apply, construct, defineProperty, getOwnPropertyDescriptor } = Reflect;

const taken = <T>(owner: object, name: string) => {
  const method = (owner as Record<string, Method>)[name] as Method;
  return (self: unknown, ...args: Args) => apply(method, self, args as never[]) as T;
};

const { prototype } = Element;
export const getAttribute = taken<string | null>(prototype, "getAttribute");
export const setAttribute = taken<void>(prototype, "setAttribute");
export const setAttributeNS = taken<void>(prototype, "setAttributeNS");
export const removeAttribute = taken<void>(prototype, "removeAttribute");
export const attributeNames = taken<string[]>(prototype, "getAttributeNames");
export const queryElement = taken<Iterable<Element>>(prototype, "querySelectorAll");
export const queryFragment = taken<Iterable<Element>>(DocumentFragment.prototype, "querySelectorAll");
const baseOf = getOwnPropertyDescriptor(Node.prototype, "baseURI")?.get as Method;

/** An element of the page named "baseURI" would shadow the property. */
export const pageAddress = () => apply(baseOf, document, []) as string;

/** Whether the call must wait, and for what; an error in here lets the site's own call pass. */
type Check = (self: never, args: never[]) => string[] | undefined;
/** What the caller gets while it must; `go` makes the call after all. */
type Answer = (keys: string[], go: () => unknown, self: never, args: never[]) => unknown;

/** A proxy keeps the name, length, prototype and statics of the function, and reads as native code. */
function hook<T extends Method>(native: T, check: Check, answer: Answer): T {
  const decide = (self: unknown, args: Args, go: () => unknown) => {
    let keys: string[] | undefined;
    try {
      keys = check(self as never, args as never[]);
    } catch {
      // not ours to judge
    }
    return keys ? answer(keys, go, self as never, args as never[]) : go();
  };
  return new Proxy(native, {
    apply: (target, self, args) => decide(self, args, () => apply(target, self, args)),
    construct: (target, args, made) => decide(target, args, () => construct(target as never, args, made)) as object,
  });
}

/** Puts a hook round a method, a constructor or one half of a property. */
export function wrap(owner: object | undefined, name: string, check: Check, answer: Answer, kind: "value" | "set" | "get" = "value"): void {
  const found = owner && getOwnPropertyDescriptor(owner, name);
  if (typeof found?.[kind] !== "function") return;
  found[kind] = hook(found[kind], check, answer);
  defineProperty(owner as object, name, found);
}
