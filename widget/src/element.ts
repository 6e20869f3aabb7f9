/** Building DOM: no mark-up strings, so that every content policy lets us draw. */

type Child = Node | string;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A real button; `data-consent-action` is what owners and tests may rely on. */
export function button(action: string, text: string, look = ""): HTMLButtonElement {
  return element("button", { type: "button", class: look, "data-consent-action": action }, text);
}

/** Opens beside the page, so that nothing chosen so far is lost. */
export function outsideLink(href: string, text: string, label = text): HTMLAnchorElement {
  return element("a", { href, target: "_blank", rel: "noopener noreferrer", "aria-label": label }, text);
}

/** Sliders: settings that can be moved either way. */
export function slidersIcon(): SVGElement {
  const space = "http://www.w3.org/2000/svg";
  const icon = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  path.setAttribute("d", "M3 8h8m6 0h4M3 16h4m6 0h8M17 8a3 3 0 1 1-6 0 3 3 0 0 1 6 0zm-4 8a3 3 0 1 1-6 0 3 3 0 0 1 6 0z");
  icon.append(path);
  return icon;
}
