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

type Kind = "value" | "set" | "get";

/** Around a call: `go` makes it, with the arguments as they are by then. */
type Around = (go: () => unknown, self: never, args: never[]) => unknown;

/** Whether the call must wait, and for what; an error in here lets the site's own call pass. */
type Check = (self: never, args: never[]) => string[] | undefined;

/** What the caller gets while it must. */
type Answer = (keys: string[], go: () => unknown, self: never, args: never[]) => unknown;

/** Round a method, a constructor or one half of a property: a proxy keeps its name, length and statics, and reads as native code. */
export function surround(owner: object | undefined, name: string, hook: Around, kind: Kind = "value"): void {
  const found = owner && getOwnPropertyDescriptor(owner, name);
  if (typeof found?.[kind] !== "function") return;
  found[kind] = new Proxy(found[kind] as Method, {
    apply: (target, self, args) => hook(() => apply(target, self, args), self as never, args as never[]),
    construct: (target, args, made) => hook(() => construct(target as never, args, made), undefined as never, args as never[]) as object,
  });
  defineProperty(owner as object, name, found);
}

export function wrap(owner: object | undefined, name: string, check: Check, answer: Answer, kind?: Kind): void {
  surround(
    owner,
    name,
    (go, self, args) => {
      let keys: string[] | undefined;
      try {
        keys = check(self, args);
      } catch {
        // not ours to judge
      }
      return keys ? answer(keys, go, self, args) : go();
    },
    kind,
  );
}
