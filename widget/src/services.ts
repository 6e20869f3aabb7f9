/** One service in the second layer: who gets what, why, where and for how long. */
import { config, type Texts } from "./config";
import { element, outsideLink } from "./element";

const kinds: Record<string, string> = { l: "localStorage", s: "sessionStorage", i: "IndexedDB", k: "Cache Storage" };

/** A native checkbox that looks and is announced as a switch. */
export function makeSwitch(key: string, isOn: boolean): HTMLInputElement {
  const input = element("input", {
    type: "checkbox",
    role: "switch",
    id: "switch-" + key,
    "aria-labelledby": "name-" + key,
    "aria-describedby": "about-" + key,
  });
  input.checked = isOn;
  return input;
}

function storedItems(key: string, lifetimes: string[], none: string): Node {
  const items = config.services[key]?.items ?? [];
  if (!items.length) return document.createTextNode(none);
  return element(
    "ul",
    {},
    ...items.map(([name, kind], index) =>
      element("li", {}, element("code", {}, name), [" ", kinds[kind], lifetimes[index]].filter(Boolean).join(" · ")),
    ),
  );
}

export function describeService(key: string, { ui, services }: Texts, control: Node): HTMLElement {
  const texts = services[key];
  if (!texts) return element("div");
  const list = element("dl");
  const row = (label: string, value: string | Node) =>
    value && list.append(element("dt", {}, label), element("dd", {}, value));
  row(ui.provider_label, texts.provider + (texts.country && ` (${texts.country})`));
  row(ui.transfers_label, texts.transfers);
  row(ui.legal_basis_label, texts.legal_basis);
  row(ui.retention_label, texts.retention);
  row(ui.items_label, storedItems(key, texts.items, ui.no_items));
  const policy = config.services[key]?.policy;
  return element(
    "div",
    { class: "service" },
    element("div", { class: "row" }, element("h4", { id: "name-" + key }, texts.name), control),
    element("p", { id: "about-" + key }, texts.purpose),
    list,
    policy ? outsideLink(policy, ui.policy_label, `${ui.policy_label}: ${texts.name}`) : "",
  );
}
