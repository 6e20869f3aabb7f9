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
import { actions, draw } from "./shell";
import { isAmong, isSignalled } from "./signals";
import { grantsWhere, isGranted } from "./state";

/** What a signal refuses is allowed one by one, never by a button for all. */
export const allow = () => grantsWhere((key) => !isSignalled(key) || isGranted(key));
export const refuse = () => grantsWhere(() => false);

export function wireActions(): void {
  const layerOf = (pressed: Element) => (pressed.closest("dialog") ? "preferences" : "notice");
  actions.accept_all = (pressed) => decide(allow(), "accept_all", layerOf(pressed));
  actions.reject_all = (pressed) => decide(refuse(), "reject_all", layerOf(pressed));
  actions.settings = showPreferences;
  actions.close = hidePreferences;
  actions.save = () => decide(chosenGrants(), "save", "preferences");
  actions.withdraw = () => decide(refuse(), "withdraw", "preferences");
  actions.allow_service = (pressed) => {
    const services = keysOf(heldBy(pressed)).flatMap(servicesOf);
    decide(grantsWhere((key) => isGranted(key) || services.includes(key)), "service", "placeholder");
  };
  if (REGIMES) {
    const { runs, sensitive } = config.regime as NonNullable<typeof config.regime>;
    for (const [action, refused] of Object.entries({ opt_out: config.sold, limit_use: sensitive, object: runs }))
      actions[action] = (pressed) => decide(grantsWhere((key) => isGranted(key) && !isAmong(refused, key)), action as Method, layerOf(pressed));
    actions.close = (pressed) => {
      if (pressed.closest("dialog")) return hidePreferences();
      rememberTold();
      hideNotice();
      ask();
    };
  }
  actions.load_once = (pressed) => {
    const held = heldBy(pressed);
    uncover(held);
    releaseOnce(held);
  };
}

/** The owner's own links to the preferences. */
export function follow(event: Event): void {
  const { target } = event;
  const opener = target instanceof Element && target.closest<HTMLElement>("[data-consent-open]");
  if (!opener) return;
  event.preventDefault();
  draw(() => showPreferences(opener));
}
