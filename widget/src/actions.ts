/** What each button does. */
import { config, servicesOf } from "./config";
import { ask, decide } from "./decide";
import { keysOf } from "./hold";
import { hideNotice } from "./notice";
import type { Method } from "./outbox";
import { heldBy, uncover } from "./placeholder";
import { chosenGrants, hidePreferences, showPreferences } from "./preferences";
import { rememberTold } from "./regime";
import { releaseOnce } from "./release";
import { draw } from "./shell";
import { isAmong, isSignalled } from "./signals";
import { grantsWhere, isGranted } from "./state";

type Action = (pressed: HTMLElement) => void;

/** What a signal refuses is allowed one by one, never by a button for all. */
export const allow = () => grantsWhere((key) => !isSignalled(key) || isGranted(key));
export const refuse = () => grantsWhere(() => false);

const layerOf = (pressed: Element) => (pressed.closest("dialog") ? "preferences" : "notice");

/** Where something runs first: what each button refuses. */
function regimeActions(): Record<string, Action> {
  const { runs, sensitive } = config.regime as NonNullable<typeof config.regime>;
  const refusing = Object.entries({ opt_out: config.sold, limit_use: sensitive, object: runs }).map(([action, refused]): [string, Action] => [
    action,
    (pressed) => decide(grantsWhere((key) => isGranted(key) && !isAmong(refused, key)), action as Method, layerOf(pressed)),
  ]);
  return {
    ...Object.fromEntries(refusing),
    close: (pressed) => {
      if (pressed.closest("dialog")) return hidePreferences();
      rememberTold();
      hideNotice();
      ask();
    },
  };
}

/** By their data-consent-action. */
export const actions: Record<string, Action> = {
  accept_all: (pressed) => decide(allow(), "accept_all", layerOf(pressed)),
  reject_all: (pressed) => decide(refuse(), "reject_all", layerOf(pressed)),
  settings: showPreferences,
  close: hidePreferences,
  save: () => decide(chosenGrants(), "save", "preferences"),
  withdraw: () => decide(refuse(), "withdraw", "preferences"),
  allow_service: (pressed) => {
    const services = keysOf(heldBy(pressed)).flatMap(servicesOf);
    decide(grantsWhere((key) => isGranted(key) || services.includes(key)), "service", "placeholder");
  },
  load_once: (pressed) => {
    const held = heldBy(pressed);
    uncover(held);
    releaseOnce(held);
  },
  ...(REGIMES ? regimeActions() : {}),
};

/** The owner's own links to the preferences. */
export function follow(event: Event): void {
  const opener = (event.target as Element).closest?.<HTMLElement>("[data-consent-open]"); // the document has none
  if (!opener) return;
  event.preventDefault();
  draw(() => showPreferences(opener));
}
