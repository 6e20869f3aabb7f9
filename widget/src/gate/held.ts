/** Elements that the gate holds: their addresses are set aside until the service is granted. */
import { areSomeGranted, judge } from "./verdict";
import { getAttribute, removeAttribute, setAttribute, setAttributeNS } from "./builtins";

interface Held {
  attributes: Map<string, string>;
  keys: string[];
  /** Whether the parser made it: then it was never meant to be async by itself. */
  isParsed: boolean;
  isQueued?: boolean;
}

const all = new WeakMap<Element, Held>();
/** Held where the document's own queries do not reach: not inserted yet, in shadow roots, in frames. */
const scattered = new Set<Element>();

export const heldOf = (element: Element) => all.get(element);

export function holdAttribute(element: Element, name: string, value: string, keys: string[], isParsed: boolean): void {
  const held = all.get(element) ?? { attributes: new Map<string, string>(), keys, isParsed };
  all.set(element, held);
  scattered.add(element);
  held.keys = keys;
  held.attributes.set(name, value);
  removeAttribute(element, name);
  setAttribute(element, "data-consent-" + name, value);
  setAttribute(element, "data-consent", keys.map((key) => "service:" + key).join("|"));
}

/** Neither run nor applied while it is of this type. */
export function holdContent(element: Element, keys: string[], isParsed: boolean): void {
  if (all.get(element)?.attributes.has("type")) return;
  holdAttribute(element, "type", getAttribute(element, "type") ?? "", keys, isParsed);
  setAttribute(element, "type", "text/plain");
}

/** The page has set another value, or none: that one counts. */
export function forgetAttribute(element: Element, name: string): void {
  const held = all.get(element);
  if (!held?.attributes.delete(name)) return;
  removeAttribute(element, "data-consent-" + name);
  if (![...held.attributes.keys()].some((other) => other !== "type")) restoreHeld(element);
}

/** Whether it is the first time: the page looks again and again until it is a script's turn. */
export function queueOnce(element: Element): boolean {
  const held = all.get(element);
  if (!held || held.isQueued) return false;
  return (held.isQueued = true);
}

/** Puts everything back in place, so that whoever listens to the element still hears of it. */
export function restoreHeld(element: Element): boolean {
  const held = all.get(element);
  if (!held) return false;
  all.delete(element);
  scattered.delete(element);
  const { attributes, isParsed } = held;
  const isScript = element.localName === "script";
  if (isScript) judge(held.keys); // noted: withdrawn, only a reload stops it
  if (isScript && attributes.size < 2) return false; // an inline one has to be made anew to run
  if (isScript && isParsed) (element as HTMLScriptElement).async = getAttribute(element, "async") !== null;
  removeAttribute(element, "data-consent");
  if (getAttribute(element, "type") !== "text/plain") removeAttribute(element, "data-consent-type");
  else put(element, "type", attributes.get("type") ?? "");
  for (const [name, value] of attributes) if (name !== "type") put(element, name, value);
  const parent = element.parentElement;
  if (parent instanceof HTMLMediaElement) parent.load();
  return true;
}

function put(element: Element, name: string, value: string): void {
  removeAttribute(element, "data-consent-" + name);
  if (name === "type" && !value) removeAttribute(element, name);
  else if (name === "xlink:href") setAttributeNS(element, "http://www.w3.org/1999/xlink", name, value);
  else setAttribute(element, name, value);
}

/** Lets go what the queue of the document's own elements does not see. */
export function releaseScattered(): void {
  for (const element of scattered) {
    const held = all.get(element);
    if (held && areSomeGranted(held.keys) && !document.contains(element)) restoreHeld(element);
  }
}
