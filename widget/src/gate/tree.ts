/** Whatever comes into a page: by the parser, by a method, as a clone, in a frame or a shadow root. */
import { getAttribute, surround, type Args, type Realm } from "./builtins";
import { holdTree } from "./elements";
import { holdMarkup, holdWritten } from "./markup";
import { holdStyle } from "./styles";

const watched = new WeakSet<object>();

/** Documents and shadow roots, each to be looked through when something is granted. */
export const roots: ParentNode[] = [];
let guardRealm: (realm: Realm) => void;

/** The parser tells nobody but observers. */
const observer = new MutationObserver((records) => {
  for (const { addedNodes, target, type } of records) {
    // Once the parser is done, all that comes in has passed our hooks.
    const isRead = (target.ownerDocument ?? (target as Document)).readyState === "complete";
    if (type === "attributes") holdStyle(target as HTMLElement);
    if (target.nodeName === "STYLE" || target.nodeName === "SCRIPT") holdTree(target, true);
    for (const node of addedNodes) {
      if (!isRead) holdTree(node, true);
      if (node instanceof Element) enter(node);
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

/** Every method that brings nodes or mark-up into a page. */
function guardInsertions(realm: Realm): void {
  for (const name of ["Node", "Element", "Document", "DocumentFragment", "ShadowRoot", "CharacterData", "Range"])
    for (const method of Object.getOwnPropertyNames(realm[name].prototype)) {
      const isMarkup = /HTML|^write|Contextual/.test(method);
      if (!isMarkup && !/^(append|prepend|before|after|replace|insert|move|import|adopt)/.test(method)) continue;
      const look = (go: () => unknown, _self: unknown, args: Args) => {
        if (/^write/.test(method)) args.splice(0, args.length, holdWritten(method === "write" ? args : [...args, "\n"]));
        else args.forEach((given, at) => {
          if (!given) return;
          if (isMarkup) args[at] = holdMarkup(given);
          else if (typeof given === "object" && "nodeType" in given) holdTree(given as Node);
        });
        const result = go();
        // `frames[0]` is there as soon as the frame is in the page, and nobody need ask the element for it.
        for (let at = 0; at < realm.length; at++) enterFrame(realm[at]);
        return result;
      };
      surround(realm[name].prototype, method, look);
      surround(realm[name].prototype, method, look, "set");
    }
}

/** A frame is entered at the latest when somebody asks for what is in it. */
function guardFrames(realm: Realm): void {
  for (const name of ["IFrame", "Frame", "Object"])
    for (const property of ["contentWindow", "contentDocument"])
      surround(
        realm[`HTML${name}Element`].prototype,
        property,
        (go) => {
          const inside = go() as Realm;
          enterFrame(inside?.defaultView ?? inside);
          return inside;
        },
        "get",
      );
  surround(realm.Element.prototype, "attachShadow", (go) => {
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
