/** Which elements of the page are held back, and until when. */
import { isGranted } from "./state";

export const heldSelector = "[data-consent]";

/** The categories and services that an element waits for: `analytics` or `service:google-analytics`. */
export function keysOf(element: Element): string[] {
  return (element.getAttribute("data-consent") ?? "").split(/\s+/).map((key) => key.replace("service:", ""));
}

export function areGranted(keys: string[]): boolean {
  return keys.every(isGranted);
}

/** The parser may still be reading the inside of the last element of an unfinished page. */
export function isComplete(element: Element): boolean {
  let node: Node | null = element;
  while (node && !node.nextSibling) node = node.parentNode;
  return !!node || document.readyState !== "loading";
}
