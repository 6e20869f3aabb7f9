/** The permanent way back: a small round button, unless the owner has a link of their own. */
import { config } from "./config";
import { button, make, own } from "./element";
import { ui, Ui } from "./language";
import { shell } from "./shell";
import { isDecided } from "./state";

let entry: HTMLElement | undefined;

/** Waits for the whole page, since the owner's link may stand in the footer. */
export function showEntry(): void {
  if (entry || document.readyState === "loading" || config.entry === "own_link" || own("body").querySelector("[data-consent-open]") || !isDecided()) return;
  const root = shell();
  entry = button("settings", "", "entry " + config.entry);
  entry.append(make("i", { "aria-hidden": "true" }), make("span", {}, ui[Ui.entry]));
  root.append(entry);
}
