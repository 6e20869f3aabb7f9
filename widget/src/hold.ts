/** Which elements of the page are held back, and until when. */
import { Category, grantsNow } from "./state";

/** Before the name of each attribute that an element is held without. */
export const prefix = "data-consent-";

export const heldSelector = "[data-consent]";

/** What an element waits for, e.g. `analytics & !service:meta-pixel | functional`; one that says nothing is not held. */
function conditionOf(element: Element): string {
  return element.getAttribute("data-consent") ?? Category.necessary;
}

/** The categories and services that a condition names; a refused one (`!analytics`) keeps its mark. */
export function keysOf(element: Element): string[] {
  return conditionOf(element).replace(/service:/g, "").split(/[\s&|]+/);
}

/** Whether an element may be there now: what is unknown or not decided is neither granted nor refused. */
export function isAllowed(element: Element): boolean {
  const grants = grantsNow();
  return conditionOf(element)
    .split("|")
    .some((every) => every.match(/[^\s&]+/g)?.every((term) => grants[term.replace(/^!|service:/g, "")] === (term[0] !== "!")));
}

export const isLoading = () => document.readyState === "loading";

/** The parser may still be reading the inside of the last element of an unfinished page. */
export function isComplete(element: Element): boolean {
  for (let node: Node | null = element; node; node = node.parentNode) if (node.nextSibling) return true;
  return !isLoading();
}
