/** Whatever comes into a page: by the parser, by a method, as a clone, in a frame or a shadow root. */
import { attempt } from "../scripts";
import { guardRealm } from "./index";
import { isLoading } from "../hold";
import { hook, trust, type Args, type Realm } from "./builtins";
import { holdInserted, holdTree, isCode } from "./elements";
import { replaceHeld } from "./held";
import { holdMarkup, inert, wholeTags } from "./markup";
import { holdStyle } from "./styles";

const watched = new WeakSet<object>();

/** The parser tells nobody but observers. */
const observer = new MutationObserver((records) => {
  for (const record of records) {
    const { target } = record;
    if (record.attributeName) holdStyle(target as HTMLElement);
    else if (isCode(target)) holdTree(target, true); // its text has come
    else if ((target.ownerDocument ?? (target as Document)).readyState !== "complete")
      // Once the parser is done, all that comes in has passed our hooks.
      for (const node of record.addedNodes) {
        holdTree(node, true);
        if (node.nodeType === 1) enter(node as Element);
      }
  }
  parsed = performance.now();
  if (!isLooking) keepLooking();
});

/** Elements that the parser may be in: it tells no observer of a shadow root that comes to one of them after a pause. */
let open: Element[] = [];
let parsed = 0;
let isLooking = false;
const channel = new MessageChannel();

/** In every task while it goes on. */
function keepLooking(): void {
  lookAtOpen();
  isLooking = isLoading() && performance.now() - parsed < 50;
  if (isLooking) channel.port1.postMessage(0);
}

function lookAtOpen(): void {
  const known = open;
  open = [];
  for (let element = document.body as Element | null; element; element = element.lastElementChild) open.push(element);
  for (const { shadowRoot } of [...known, ...open]) if (shadowRoot) watchLate(shadowRoot);
}

/** Its scripts are on their way: what is in another document by then does not run. */
function watchLate(root: ShadowRoot): void {
  if (watched.has(root)) return;
  watchTree(root);
  for (const script of root.querySelectorAll("script")) if (replaceHeld(script)) inert.adoptNode(script);
}

/** Frames of our own origin bring functions that nobody has guarded yet; shadow roots are out of the observer's sight. */
function enter(element: Element): void {
  holdStyle(element as HTMLElement);
  watchInside(element.shadowRoot ?? (element as HTMLIFrameElement).contentWindow); // most have neither
  if (element.firstElementChild) for (const inner of element.querySelectorAll("[style],iframe,frame")) enter(inner);
}

/** The window or the document of a frame, a window that was opened, a shadow root. */
function watchInside(inside: Realm): void {
  try {
    const realm = inside.defaultView ?? inside;
    watchTree((realm.document ?? inside) as Node);
    if (!watched.has(realm.Node.prototype)) guardRealm(realm);
  } catch {
    // nothing yet, of another origin, or no window
  }
}

function watchTree(root: Node): void {
  if (watched.has(root)) return;
  watched.add(root);
  observer.observe(root, { childList: true, subtree: true, attributeFilter: ["style"] });
  // The next page of a frame is a window that nobody has guarded yet.
  root.addEventListener("load", ({ target }) => watchInside((target as HTMLIFrameElement).contentWindow), true);
  holdTree(root, true);
}

/** Every method that brings nodes or mark-up into a page, or makes nodes of others. */
export function guardInsertions(realm: Realm): void {
  for (const name of ["Node", "Element", "Document", "DocumentFragment", "ShadowRoot", "CharacterData", "Range"])
    for (const method of Object.getOwnPropertyNames(realm[name].prototype)) {
      const isMarkup = /HTML|^write|Contextual|^exec/.test(method);
      const isWriting = /^write/.test(method);
      const isMaking = /^(import|clone|create)/.test(method);
      // append, prepend, before, after, replaceWith, insertBefore, moveBefore, importNode, adoptNode, cloneNode, and what is called alike
      if (!isMarkup && !/^(app|prep|bef|aft|rep|ins|mov|imp|ado|clon)/.test(method)) continue;
      // Whatever goes wrong in here, the page's own call is made, once.
      const look = (go: () => unknown, self: Node, args: Args) => {
        const { parentElement } = self; // one that replaces itself is gone afterwards
        let isChanged = isMarkup ? isWriting : isMaking;
        let looksAgain = isChanged;
        attempt(() => {
          if (isWriting) args.splice(0, args.length, trust("createHTML", wholeTags(method === "write" ? args : [...args, "\n"])));
          args.forEach((given, at) => {
            if (isMarkup) {
              args[at] = holdMarkup(given);
              isChanged ||= given !== args[at];
              looksAgain ||= isChanged || /frame|object|style[^]+\/\//i.test(args[at]);
            } else if (given?.nodeType && holdInserted(given, self)) looksAgain = true;
          });
        });
        const result = go();
        if (looksAgain)
          attempt(() => {
            const place = (isMaking ? result : (parentElement ?? (self as Document).documentElement ?? self)) as Element;
            if (isChanged) holdTree(place); // our own changes, come back as elements
            if (isMarkup) for (const element of place.querySelectorAll("[style]")) holdStyle(element as HTMLElement);
            // `frames[0]` is there as soon as the frame is in the page, and nobody need ask the element for it.
            [].forEach.call(realm, watchInside);
          });
        return result;
      };
      hook(realm[name], method, look, "set");
    }
}

/** What is inside is watched at the latest when somebody asks for it; a window of our own origin that the page opens is a page like it. */
export function guardInsides(realm: Realm): void {
  for (const owner of [realm, realm.Element, realm.HTMLIFrameElement, realm.HTMLFrameElement, realm.HTMLObjectElement])
    hook(owner, "open attachShadow contentWindow contentDocument", (go) => {
      const inside = go();
      watchInside(inside);
      return inside;
    });
}

export function guardTree(realm: Realm): void {
  watched.add(realm.Node.prototype);
  watchTree(realm.document as Document);
  realm.addEventListener("DOMContentLoaded", () => {
    for (const { shadowRoot } of realm.document.querySelectorAll("*")) if (shadowRoot) watchLate(shadowRoot);
  });
  if (realm !== window) return;
  channel.port2.onmessage = keepLooking;
  // Between its parts every millisecond: one timer may come every four.
  for (let later = 4; later--; )
    setTimeout(() => {
      const timer = setInterval(() => {
        lookAtOpen();
        if (!isLoading()) clearInterval(timer);
      });
    }, later);
}
