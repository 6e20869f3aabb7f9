/** Held attributes: `data-consent-src` becomes `src` again. */

export const prefix = "data-consent-";

/** Attributes that user-written mark-up must not smuggle past a sanitizer that lets data-* through. */
function isUnsafe(element: Element, name: string): boolean {
  return /^(on|srcdoc$|style$)/.test(name) || (name === "href" && !/^(link|image)$/i.test(element.tagName));
}

/** Gives an element the attributes that it was held without. */
export function restore(element: Element): void {
  for (const { name, value } of [...element.attributes]) {
    const held = name.slice(prefix.length);
    if (!name.startsWith(prefix) || isUnsafe(element, held)) continue;
    element.removeAttribute(name);
    element.setAttribute(held, value);
  }
  const parent = element.parentElement;
  if (parent instanceof HTMLMediaElement) parent.load();
}
