/** What each button does. */
import { decide } from "./decide";
import { heldBy, servicesOf } from "./placeholder";
import { chosenGrants, hidePreferences, showPreferences } from "./preferences";
import { actions, draw } from "./shell";
import { grantsWhere, isGranted } from "./state";

const layerOf = (pressed: Element) => (pressed.closest("dialog") ? "preferences" : "notice");

export function wireActions(): void {
  actions.accept_all = (pressed) => decide(grantsWhere(() => true), "accept_all", layerOf(pressed));
  actions.reject_all = (pressed) => decide(grantsWhere(() => false), "reject_all", layerOf(pressed));
  actions.settings = (pressed) => showPreferences(pressed);
  actions.close = hidePreferences;
  actions.save = () => decide(chosenGrants(), "save", "preferences");
  actions.withdraw = () => decide(grantsWhere(() => false), "withdraw", "preferences");
  actions.allow_service = (pressed) => {
    const held = heldBy(pressed);
    const services = held ? servicesOf(held) : [];
    decide(grantsWhere((key) => isGranted(key) || services.includes(key)), "service", "placeholder");
  };
  document.addEventListener("click", (event) => {
    const target = event.target;
    const opener = target instanceof Element && target.closest<HTMLElement>("[data-consent-open]");
    if (!opener) return;
    event.preventDefault();
    draw(() => showPreferences(opener));
  });
}
