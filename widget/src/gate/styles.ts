/** Declarations in an element's own style: a browser loads what they name after our observer has seen them. */
import { getAttribute } from "./builtins";
import { textVerdict } from "./verdict";
import { later } from "./waiting";

/** Takes out the declarations that must wait, however they came in. */
export function holdStyle(element: HTMLElement): void {
  if (getAttribute(element, "style")) holdDeclarations(element.style);
}

export function holdDeclarations(style: CSSStyleDeclaration | undefined): void {
  if (!style?.cssText.includes("//")) return;
  for (const name of [...style]) {
    const value = style.getPropertyValue(name);
    const keys = textVerdict(value);
    if (!keys) continue;
    const priority = style.getPropertyPriority(name);
    style.removeProperty(name);
    later(keys, () => style.getPropertyValue(name) || style.setProperty(name, value, priority));
  }
}
