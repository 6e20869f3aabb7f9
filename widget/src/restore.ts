/** Held attributes: `data-consent-src` becomes `src` again. */
import { setAttribute, trust } from "./gate/builtins";
import { gatedAs, letGo } from "./gate/held";
import { prefix } from "./hold";

/** Attributes that user-written mark-up must not smuggle past a sanitizer that lets data-* through. */
function isUnsafe(element: Element, name: string): boolean {
  return /^(on|srcdoc$|style$)|action$/.test(name) || (/href$/.test(name) && !/^(link|(fe)?image|script)$/i.test(element.tagName));
}

/** Gives an element the attributes that it was held without. */
export function restore(element: Element): void {
  const isGated = GATE && gatedAs(element);
  if (isGated) letGo(element);
  for (const { name, value } of [...element.attributes]) {
    const held = name.slice(prefix.length);
    if (!name.startsWith(prefix) || (!isGated && isUnsafe(element, held))) continue;
    element.removeAttribute(name);
    if (GATE && held.startsWith("xlink")) element.setAttributeNS("http://www.w3.org/1999/xlink", held, value);
    else if (GATE) setAttribute(element, held, held === "src" ? trust("createScriptURL", value) : value);
    else element.setAttribute(held, value);
  }
  const { parentElement } = element;
  if (!(parentElement instanceof HTMLMediaElement)) return;
  element.replaceWith(element); // Firefox shows a track by itself only where it comes in with its address
  parentElement.load();
}
