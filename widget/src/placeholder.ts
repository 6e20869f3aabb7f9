/** In the place of a held frame or video: what is missing, who would get data, and a button to allow it. */
import { config } from "./config";
import { button, element } from "./element";
import { areGranted, heldSelector, keysOf } from "./hold";
import { chooseLanguage, fill, textsIn } from "./language";
import { openRoot } from "./shell";

const places = new Map<HTMLElement, { host: HTMLElement; display: string }>();
const layout = ["position", "top", "left", "float", "margin", "flex", "grid-area", "align-self", "justify-self"];
const smallest = 60; // px: smaller ones are measuring pixels, not content

/** The services that the visitor would allow with one press. */
export function servicesOf(held: Element): string[] {
  return keysOf(held).flatMap((key) => config.categories.find((category) => category.key === key)?.services ?? [key]);
}

function buildPlaceholder(held: HTMLElement): HTMLElement {
  const host = document.createElement("consent-placeholder");
  const { ui, services } = textsIn(chooseLanguage());
  const texts = servicesOf(held).map((key) => services[key]);
  const service = texts.map((text) => text?.name).join(", ");
  const provider = [...new Set(texts.map((text) => text?.provider))].join(", ");
  openRoot(host).append(
    element(
      "div",
      { class: "held" },
      element("p", {}, fill(ui.held, { service, provider })),
      element("div", {}, button("allow_service", fill(ui.allow_service, { service }), "main"), button("settings", ui.settings, "quiet")),
    ),
  );
  return host;
}

/** Takes exactly the room that the held element has in the page's own layout. */
function fit(held: HTMLElement, host: HTMLElement, display: string): void {
  host.remove();
  held.style.display = display;
  const { offsetWidth, offsetHeight } = held;
  if (offsetWidth < smallest || offsetHeight < smallest) return;
  const style = getComputedStyle(held);
  for (const name of layout) host.style.setProperty(name, style.getPropertyValue(name));
  host.style.setProperty("display", style.display === "inline" ? "inline-block" : style.display);
  host.style.setProperty("width", offsetWidth + "px");
  host.style.setProperty("height", offsetHeight + "px");
  held.style.setProperty("display", "none", "important");
  held.before(host);
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const place = places.get(target as HTMLElement);
    if (place && !place.host.isConnected) fit(target as HTMLElement, place.host, place.display);
  }
});

function fitAll(): void {
  for (const [held, { host, display }] of places) fit(held, host, display);
}

/** The held element that a placeholder stands for. */
export function heldBy(pressed: Element): HTMLElement | undefined {
  const { host } = pressed.getRootNode() as ShadowRoot;
  for (const [held, place] of places) if (place.host === host) return held;
  return undefined;
}

/** Gives every held frame its placeholder, and takes away those that are not needed any more. */
export function showPlaceholders(): void {
  for (const [held, { host, display }] of places) {
    if (held.isConnected && !areGranted(keysOf(held))) continue;
    host.remove();
    held.style.display = display;
    sizes.unobserve(held);
    places.delete(held);
  }
  for (const held of document.querySelectorAll<HTMLElement>(heldSelector)) {
    const isKnown = servicesOf(held).every((key) => config.services[key]);
    if (!/^(iframe|video|embed|object)$/i.test(held.tagName) || areGranted(keysOf(held)) || places.has(held) || !isKnown) continue;
    if (!places.size) addEventListener("resize", fitAll);
    places.set(held, { host: buildPlaceholder(held), display: held.style.display });
    sizes.observe(held);
  }
}
