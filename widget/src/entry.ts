/** The permanent way back: a small round button, unless the page has a link of its own. */
import type { ConsentApi } from "./api";
import { config } from "./config";
import { button, make, own } from "./element";
import { ui, Ui } from "./language";
import { shell } from "./shell";
import { isSettled, makeIcon } from "./regime";
import { isDecided } from "./state";
import { statusText } from "./status";

let entry: HTMLElement | undefined;
const note = REGIMES ? make("small", {}) : undefined;

/** In a frame the page round it asks and offers the way back for both; of a stranger's page nobody is told. */
export const isPart = () => frameElement && (parent as { consent?: ConsentApi }).consent?.ready;

/** One that nobody sees is no way back. */
const hasOwnLink = () => [...own("body").querySelectorAll("[data-consent-open]")].some((link) => link.getClientRects().length);

/** Waits for the whole page, since the page's own link may stand in the footer or come with a script; one that is promised and missing is replaced. */
export function showEntry(): void {
  if (REGIMES && note) note.textContent = statusText();
  // A link of the page's may be called anything; that to opt out must say so, on every page.
  const isOptOut = REGIMES && config.regime?.name === "opt_out";
  const hasOwn = () => (!isOptOut || config.entry === "own_link") && hasOwnLink();
  if (isPart() || entry || document.readyState !== "complete" || hasOwn() || !(REGIMES ? isSettled() : isDecided()) || (REGIMES && config.regime?.name === "off")) return;
  // Its words are drawn by the styles once it is pointed at: what is there but unseen costs each visit the look-up of a font.
  shell().append((entry = isOptOut ? makeOptOut() : make("button", { class: "entry " + config.entry, "data-consent-action": "settings", "aria-label": ui[Ui.entry] as string }, make("i", {}))));
}

function makeOptOut(): HTMLElement {
  const made = button("settings", "", "entry choices " + config.entry);
  made.append(makeIcon(), make("b", {}, ui[Ui.entry]), note as HTMLElement);
  return made;
}
