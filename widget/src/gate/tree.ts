/** Whatever comes into a page: by the parser, by a method, as a clone, in a frame or a shadow root. */
import { apply, defineProperty, getOwnPropertyDescriptor, wrap, type Args, type Method, type Realm } from "./builtins";
import { holdTree } from "./elements";
import { holdStyle } from "./styles";

const none = () => undefined;
const insertions = {
  Node: ["appendChild", "insertBefore", "replaceChild", "moveBefore"],
  Element: ["append", "prepend", "before", "after", "replaceWith", "replaceChildren", "insertAdjacentElement"],
  Document: ["append", "prepend", "replaceChildren", "importNode", "adoptNode"],
  DocumentFragment: ["append", "prepend", "replaceChildren"],
  CharacterData: ["before", "after", "replaceWith"],
  Range: ["insertNode"],
};

const watched = new WeakSet<object>();

/** Documents and shadow roots, each to be looked through when something is granted. */
export const roots: ParentNode[] = [];
let guardRealm: (realm: Realm) => void;

/** The parser tells nobody but observers. */
const observer = new MutationObserver((records) => {
  for (const { addedNodes, target, type } of records) {
    if (type === "attributes") holdStyle(target as HTMLElement);
    if (target.nodeName === "STYLE" || target.nodeName === "SCRIPT") holdTree(target, true);
    for (const node of addedNodes) {
      holdTree(node, true);
      if (node instanceof Element) enter(node);
    }
  }
});

/** Frames of our own origin bring functions that nobody has guarded yet; shadow roots are out of the observer's sight. */
function enter(element: Element): void {
  holdStyle(element as HTMLElement);
  if (element.shadowRoot) watchTree(element.shadowRoot);
  if (/^i?frame$/.test(element.localName)) enterFrame((element as HTMLIFrameElement).contentWindow);
  if (element.firstElementChild) for (const inner of element.querySelectorAll("[style],iframe,frame")) enter(inner);
}

function enterFrame(realm: Realm): void {
  try {
    if (!realm || watched.has(realm.document)) return;
    watchTree(realm.document as Document);
    if (watched.has(realm.Node.prototype)) return;
    watched.add(realm.Node.prototype);
    guardRealm(realm);
  } catch {
    // another origin keeps its own window
  }
}

function watchTree(root: ParentNode): void {
  if (watched.has(root)) return;
  watched.add(root);
  observer.observe(root, { childList: true, subtree: true, attributeFilter: ["style"] });
  roots.push(root);
  holdTree(root, true);
}

/** `frames[0]` is there as soon as the frame is in the page, and nobody need ask the element for it. */
function thenEnterFrames(owner: object, name: string, realm: Realm, kind: "value" | "set" = "value"): void {
  const found = getOwnPropertyDescriptor(owner, name);
  const native = found?.[kind] as Method | undefined;
  if (!found || !native) return;
  found[kind] = new Proxy(native, {
    apply(target, self, args: Args) {
      const result = apply(target, self, args as never[]);
      for (let at = 0; at < realm.length; at++) enterFrame(realm[at]);
      return result;
    },
  });
  defineProperty(owner, name, found);
}

function guardInsertions(realm: Realm): void {
  const look = (_self: never, args: unknown[]): undefined => {
    for (const node of args) if (node && typeof node === "object" && "nodeType" in node) holdTree(node as Node);
  };
  for (const [name, methods] of Object.entries(insertions)) 
    for (const method of methods) {
      wrap(realm[name].prototype, method, look, none);
      thenEnterFrames(realm[name].prototype, method, realm);
    }
  for (const method of ["write", "writeln"]) thenEnterFrames(realm.Document.prototype, method, realm);
  thenEnterFrames(realm.Element.prototype, "insertAdjacentHTML", realm);
  for (const property of ["innerHTML", "outerHTML"]) thenEnterFrames(realm.Element.prototype, property, realm, "set");
  wrap(realm.Node.prototype, "cloneNode", (self: Node): undefined => void (self.nodeType === 11 && holdTree(self)), none);
}

/** A frame is entered at the latest when somebody asks for what is in it. */
function guardFrames(realm: Realm): void {
  for (const name of ["HTMLIFrameElement", "HTMLFrameElement", "HTMLObjectElement"])
    for (const property of ["contentWindow", "contentDocument"]) {
      const owner = realm[name].prototype;
      const found = getOwnPropertyDescriptor(owner, property) as PropertyDescriptor;
      const native = found.get as () => Realm;
      found.get = new Proxy(native, {
        apply(target, self, args) {
          const inside = apply(target, self, args as never);
          enterFrame(property === "contentWindow" ? inside : inside?.defaultView);
          return inside;
        },
      });
      defineProperty(owner, property, found);
    }
}

function guardShadows(realm: Realm): void {
  const { prototype } = realm.Element;
  prototype.attachShadow = new Proxy(prototype.attachShadow, {
    apply(target, self, args) {
      const root = apply(target, self, args) as ShadowRoot;
      watchTree(root);
      return root;
    },
  });
}

/** `guard` is what a frame's window gets, too. */
export function guardTree(realm: Realm, guard: (realm: Realm) => void): void {
  guardRealm = guard;
  guardInsertions(realm);
  guardFrames(realm);
  guardShadows(realm);
  if (realm === window) watched.add(realm.Node.prototype);
  watchTree(realm.document as Document);
}
