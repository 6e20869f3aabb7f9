/** Elements that wait, and by which rule; and those that were let go. */
import { heldBy } from "./managers";
import { matchAddress } from "./match";
import { page, type Core, type HeldElement, type ReleasedElement } from "./report";
import { bare, findAll, isCode, isLoose, pathOf, valueOf } from "./tree";

const conditionOf = (element: Element) => element.getAttribute("data-consent") ?? "";

/** What it would load. */
export function heldAddress(element: Element): string | undefined {
  const names = ["src", "href", "data", "poster", "srcset"].flatMap((name) => [name, "data-consent-" + name]);
  return names.map((name) => valueOf(element, name)).find(Boolean);
}

function unmetTerms(condition: string): string[] {
  const { grants } = page.consent;
  const terms = condition.split(/[\s&|]+/).filter(Boolean);
  return terms.filter((term) => grants[term.replace(/^!|service:/g, "")] !== (term[0] !== "!"));
}

function ruleFor(element: Element, { config, isGated }: Core): Pick<HeldElement, "rule" | "because"> {
  const address = heldAddress(element);
  if (isGated(element)) {
    const match = address === undefined ? undefined : matchAddress(address);
    return conditionOf(element) === "service:" ? { rule: "strict" } : { rule: "gate", ...(match && { because: match.pattern }) };
  }
  const product = heldBy(element, config.compat?.products ?? []);
  return product ? { rule: "compatible", because: product } : { rule: "markup" };
}

export function listHeld(core: Core): HeldElement[] {
  return findAll("[data-consent]")
    .filter((element) => !core.isAllowed(element) && !isLoose(element))
    .map((element) => {
      const address = heldAddress(element);
      const condition = conditionOf(element);
      return {
        element: pathOf(element),
        condition,
        waits_for: unmetTerms(condition).filter((term) => term !== "service:"),
        ...ruleFor(element, core),
        ...(address !== undefined && { address: bare(address) }),
      };
    });
}

/** Allowed, and without anything that is still set aside. */
export function listReleased(core: Core): ReleasedElement[] {
  const isLive = (element: Element) => (element instanceof HTMLScriptElement ? isCode(element) : ![...element.attributes].some(({ name }) => name.startsWith("data-consent-")));
  return findAll("[data-consent]")
    .filter((element) => core.isAllowed(element) && isLive(element))
    .map((element) => ({ element: pathOf(element), condition: conditionOf(element) }));
}
