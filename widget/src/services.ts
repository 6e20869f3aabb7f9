/** One service in the second layer: who gets what, why, where and for how long. */
import { config, itemsOf, type Service } from "./config";
import { make, outsideLink } from "./element";
import { textsOf, ui, Ui, wordAt, type Texts } from "./language";

/** A native checkbox that looks like a switch: one of a category can also be mixed, which a switch cannot say. */
export function makeSwitch(key: string, isOn: boolean): HTMLInputElement {
  const input = make("input", { type: "checkbox", id: "switch-" + key, "aria-describedby": "about-" + key });
  input.checked = isOn;
  return input;
}

/** The name is the switch's label, so that it can be pressed, too. */
export function makeHeading(tag: "h3" | "h4", key: string, name: string, control: Node | string): HTMLElement {
  return make("div", { class: "row" }, make(tag, {}, make("label", { for: "switch-" + key }, name)), control);
}

export function describeService(key: string, control: Node | string): HTMLElement {
  const [name, purpose] = textsOf[key] as Texts;
  const [provider, policy, facts] = config.services[key] as Service;
  const country = wordAt(facts, 0);
  const items = itemsOf(key).map((item) => make("li", {}, make("code", {}, item.slice(2)), " " + wordAt(item, 1)));
  /** In the order of their labels: provider, transfers, legal basis, retention, items. */
  const rows = [provider + (country && ` (${country})`), wordAt(facts, 1), wordAt(facts, 2), wordAt(facts, 3), items.length ? make("ul", {}, ...items) : ui[Ui.no_items]];
  return make(
    "div",
    { class: "service" },
    makeHeading("h4", key, name, control),
    make("p", { id: "about-" + key }, purpose),
    make("dl", {}, ...rows.flatMap((value, at) => [value && make("dt", {}, ui[Ui.provider_label + at]), value && make("dd", {}, value)])),
    policy && outsideLink(policy, ui[Ui.policy] as string),
  );
}
