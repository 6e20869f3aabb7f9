/** One service in the second layer: who gets what, why, where and for how long. */
import { config, itemsOf, type Service } from "./config";
import { make, outsideLink } from "./element";
import { serviceTexts, ui, Ui, wordAt, type ServiceTexts } from "./language";

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
  const [name, purpose] = serviceTexts[key] as ServiceTexts;
  const [provider, policy, facts] = config.services[key] as Service;
  const country = wordAt(facts, 0);
  const items = itemsOf(key).map((item) => make("li", {}, make("code", {}, item.slice(2)), " " + wordAt(item, 1)));
  const rows: [Ui, Node | string | undefined][] = [
    [Ui.provider_label, provider + (country && ` (${country})`)],
    [Ui.transfers_label, wordAt(facts, 1)],
    [Ui.legal_basis_label, wordAt(facts, 2)],
    [Ui.retention_label, wordAt(facts, 3)],
    [Ui.items_label, items.length ? make("ul", {}, ...items) : ui[Ui.no_items]],
  ];
  return make(
    "div",
    { class: "service" },
    makeHeading("h4", key, name, control),
    make("p", { id: "about-" + key }, purpose),
    make("dl", {}, ...rows.flatMap(([label, value]) => [value && make("dt", {}, ui[label]), value && make("dd", {}, value)])),
    policy && outsideLink(policy, ui[Ui.policy] as string),
  );
}
