/** Elements that the gate holds: made into what an owner would have declared, so that they go the same way. */
import { prefix } from "../hold";
import { copyScript } from "../scripts";
import { isDecided } from "../state";
import { attributeNames, getAttribute, removeAttribute, setAttribute } from "./builtins";

/** On what we hold, so that copies of it and mark-up taken from it are known, too. */
const mark = "data-gate";
/** Nobody who writes mark-up knows it: only from elements that bear it are handlers and whole pages put back. */
const secret = `${Math.random()}`;

/** Held where the document's own queries may not reach: not inserted yet, in shadow roots, in frames. */
export const scattered = new Set<Element>();

/** Whether the gate holds an element, and how: "parsed", made by the parser, it was never meant to be async by itself. */
export const gatedAs = (element: Element) => getAttribute(element, mark)?.split(secret)[1];

export function keep(element: Element): void {
  if (!isDecided() || element.isConnected) scattered.add(element); // what is refused and nowhere is not kept
}

export function hold(element: Element, name: string, value: string, keys: string[], isParsed: boolean): void {
  const isFirst = !gatedAs(element);
  if (keys.length && !(isFirst && getAttribute(element, "data-consent"))) setAttribute(element, "data-consent", keys.map((key) => "service:" + key).join("|"));
  if (isFirst) setAttribute(element, mark, secret + (isParsed ? "parsed" : "made"));
  keep(element);
  removeAttribute(element, name);
  setAttribute(element, prefix + name, value);
}

/** Another one in its place: a script that the browser has begun with, or a clone of it, never runs again. */
export function replaceHeld(script: HTMLScriptElement): boolean {
  if (!gatedAs(script)) return false;
  const fresh = copyScript(script);
  scattered.delete(script);
  script.replaceWith(fresh);
  keep(fresh);
  return true;
}

/** The page has set another value, or none: that one counts. */
export function forget(element: Element, name: string): void {
  if (!gatedAs(element)) return;
  removeAttribute(element, prefix + name);
  if (!attributeNames(element).some((other) => other.startsWith(prefix))) letGo(element);
}

export function letGo(element: Element): void {
  removeAttribute(element, mark);
  removeAttribute(element, "data-consent");
  scattered.delete(element);
}

/** The address that the page believes to be there; the browser itself reads names in any case. */
export const heldValue = (element: Element, name: string) => gatedAs(element) && getAttribute(element, prefix + name);
