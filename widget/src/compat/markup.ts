/** Mark-up that was written for other consent managers becomes ours as soon as it appears. */
import { prefix } from "../hold";
import { ourKey, understands } from "./names";
import { adoptPlayer, players } from "./players";

interface Dialect {
  selector: string;
  /** The names that the element waits for, "!" before one that must be refused; none where it is not held. */
  names(element: Element): string[];
}

const attribute = (element: Element, name: string) => element.getAttribute(name) ?? "";
const byName = 'script[type="text/plain"][data-name],:is(img,iframe,link,embed,object,video,audio)[data-name]:is([data-src],[data-href])';

/** Each as its maker documents it. */
const dialects: Record<string, Dialect> = {
  cookiebot: {
    selector: "[data-cookieconsent]",
    // "ignore" marks what Cookiebot leaves alone.
    names: (element) => attribute(element, "data-cookieconsent").split(/[\s,]+/).filter((name) => name && name !== "ignore"),
  },
  onetrust: {
    selector: '[class*="optanon-category-"]',
    names: (element) => /optanon-category-([\w-]+)/.exec(attribute(element, "class"))?.[1]?.split("-") ?? [],
  },
  cookieyes: {
    selector: '[data-cookieyes^="cookieyes-"]',
    names: (element) => [attribute(element, "data-cookieyes").slice("cookieyes-".length)],
  },
  "vanilla-cookieconsent": {
    selector: 'script[type="text/plain"][data-category]',
    names: (element) => [attribute(element, "data-category"), attribute(element, "data-service")].filter(Boolean),
  },
  klaro: { selector: byName, names: (element) => [attribute(element, "data-name")] },
  orejime: {
    selector: `template[data-purpose],script[type="opt-in"][data-name],${byName}`,
    names: (element) => [attribute(element, "data-purpose") || attribute(element, "data-name")],
  },
};

const spoken = Object.entries(dialects).flatMap(([product, dialect]) => (understands(product) ? [dialect] : []));
const speaksPlayers = understands("tarteaucitron");

/** Everything that may have to be adopted; matches nothing where no mark-up is understood. */
export const foreignSelector = [...spoken.map(({ selector }) => `:is(${selector}):not([data-consent])`), speaksPlayers && players].filter(Boolean).join() || "consent-none";

function conditionFor(names: string[]): string {
  return names.map((name) => (name.startsWith("!") ? "!" + ourKey(name.slice(1)) : ourKey(name))).join(" & ");
}

/** `data-src`, `data-cookieblock-src` and the like are held attributes under another name. */
function adoptAttributes(element: Element): void {
  for (const { name, value } of [...element.attributes]) {
    const held = /^data-(?:cookieblock-)?(src|srcset|href|poster|type)$/.exec(name)?.[1];
    if (!held) continue;
    element.removeAttribute(name);
    element.setAttribute(prefix + held, value);
  }
}

function adopt(element: Element): void {
  if (speaksPlayers && element.matches(players)) return adoptPlayer(element);
  const names = spoken.flatMap((dialect) => (element.matches(dialect.selector) ? dialect.names(element) : []));
  if (!names.length) return;
  adoptAttributes(element);
  if (element instanceof HTMLScriptElement && element.type === "opt-in") element.type = "text/plain";
  element.setAttribute("data-consent", conditionFor(names));
}

export function adoptMarkup(): void {
  document.querySelectorAll(foreignSelector).forEach(adopt);
}
