/** The look: one sheet for every shadow root, the owner's theme as custom properties in front of it. */
import { config, type Colours } from "./config";
import { element } from "./element";
import { nonce } from "./origin";
import css from "./widget.css";

function properties(colours: Colours): string {
  const { accent, on_accent, text, surface } = colours;
  return `--consent-accent:${accent};--consent-on-accent:${on_accent};--consent-text:${text};--consent-surface:${surface}`;
}

let sheet: CSSStyleSheet | undefined;

export function dress(root: ShadowRoot): void {
  const { light, dark, radius } = config.theme;
  const text = `:host{--consent-radius:${radius}px;${properties(light)}}@media(prefers-color-scheme:dark){:host{${properties(dark)}}}${css}`;
  try {
    if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(text);
    root.adoptedStyleSheets = [sheet];
  } catch {
    const style = element("style", {}, text); // browsers without constructable sheets
    style.nonce = nonce;
    root.append(style);
  }
}
