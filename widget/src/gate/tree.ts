/** Whatever comes into a page: by the parser, by a method, as a clone, in a frame or a shadow root. */
import { getAttribute, hook, type Args, type Realm } from "./builtins";
import { holdTree } from "./elements";
import { guardLocation } from "./frames";
import { holdMarkup, holdWritten } from "./markup";
import { holdStyle } from "./styles";

const watched = new WeakSet<object>();
let guardRealm: (realm: Realm) => void;

/** The parser tells nobody but observers. */
const observer = new MutationObserver((records) => {
  for (const { addedNodes, target, type } of records) {
    // Once the parser is done, all that comes in has passed our hooks.
    const isRead = (target.ownerDocument ?? (target as Document)).readyState === "complete";
    if (type === "attributes") holdStyle(target as HTMLElement);
    if (/^st|^sc/i.test(target.nodeName)) holdTree(target, true); // its text has come
    for (const node of addedNodes) {
      if (!isRead) holdTree(node, true);
      if (node.nodeType === 1) enter(node as Element);
    }
  }
});

/** Frames of our own origin bring functions that nobody has guarded yet; shadow roots are out of the observer's sight. */
function enter(element: Element): void {
  if (getAttribute(element, "style")) holdStyle(element as HTMLElement);
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
    guardLocation(realm);
  } catch {
    // another origin keeps its own window
  }
}

function watchTree(root: Node): void {
  if (watched.has(root)) return;
  watched.add(root);
  observer.observe(root, { childList: true, subtree: true, attributeFilter: ["style"] });
  holdTree(root, true);
}

/** Every method that brings nodes or mark-up into a page, or makes nodes of others. */
function guardInsertions(realm: Realm): void {
  for (const name of ["Node", "Element", "Document", "DocumentFragment", "ShadowRoot", "CharacterData", "Range"])
    for (const method of Object.getOwnPropertyNames(realm[name].prototype)) {
      const isMarkup = /HTML|^write|Contextual|^exec/.test(method);
      if (!isMarkup && !/^(append|prepend|before|after|replace|insert|move|import|adopt|clone)/.test(method)) continue;
      const look = (go: () => unknown, self: Node, args: Args) => {
        // Where our own changes to its mark-up will come back as elements.
        const place = self.parentElement ?? (self as Document).documentElement ?? self;
        const before = args.join("");
        if (/^write/.test(method)) args.splice(0, args.length, holdWritten(method === "write" ? args : [...args, "\n"]));
        else
          args.forEach((given, at) => {
            if (!given) return;
            if (isMarkup) args[at] = holdMarkup(given);
            else if (given.nodeType) holdTree(given);
          });
        const result = go();
        if (/^(import|clone|create)/.test(method)) holdTree(result as Node);
        else if (isMarkup && args.join("") !== before) holdTree(place);
        // `frames[0]` is there as soon as the frame is in the page, and nobody need ask the element for it.
        for (let at = 0; at < realm.length; at++) enterFrame(realm[at]);
        return result;
      };
      hook(realm[name].prototype, method, look);
      hook(realm[name].prototype, method, look, "set");
    }
}

/** A frame is entered at the latest when somebody asks for what is in it. */
function guardFrames(realm: Realm): void {
  for (const name of ["IFrame", "Frame", "Object"])
    hook(
      realm[`HTML${name}Element`].prototype,
      "contentWindow contentDocument",
      (go) => {
        const inside = go() as Realm;
        enterFrame(inside?.defaultView ?? inside);
        return inside;
      },
      "get",
    );
  hook(realm.Element.prototype, "attachShadow", (go) => {
    const root = go() as ShadowRoot;
    watchTree(root);
    return root;
  });
}

/** `guard` is what a frame's window gets, too. */
export function guardTree(realm: Realm, guard: (realm: Realm) => void): void {
  guardRealm = guard;
  guardInsertions(realm);
  guardFrames(realm);
  if (realm === window) watched.add(realm.Node.prototype);
  watchTree(realm.document as Document);
}
