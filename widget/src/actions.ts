/** What each button does. */
import { servicesOf } from "./config";
import { decide } from "./decide";
import { keysOf } from "./hold";
import { heldBy, uncover } from "./placeholder";
import { chosenGrants, hidePreferences, showPreferences } from "./preferences";
import { releaseOnce } from "./release";
import { actions, draw } from "./shell";
import { grantsWhere, isGranted } from "./state";

export const allow = () => grantsWhere(() => true);
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
