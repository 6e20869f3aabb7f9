/** The permanent way back: a small round button, unless the owner has a link of their own. */
import { config } from "./config";
import { button, element, slidersIcon } from "./element";
import { chooseLanguage, textsIn } from "./language";
import { shell } from "./shell";
import { isDecided } from "./state";

let entry: HTMLElement | undefined;

function buildEntry(): HTMLElement {
  const label = textsIn(chooseLanguage()).ui.entry;
  const made = button("settings", "", "entry " + config.theme.entry);
  made.append(slidersIcon(), element("span", {}, label));
  return made;
}

/** Waits for the whole page, since the owner's link may stand in the footer. */
export function showEntry(): void {
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", showEntry, { once: true });
    return;
  }
  const hasOwn = config.theme.entry === "own_link" || document.querySelector("[data-consent-open]");
  if (entry || hasOwn || !isDecided()) return;
  shell().append((entry = buildEntry()));
}
