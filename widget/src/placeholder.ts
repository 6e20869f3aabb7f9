/** In the place of a held frame or video: what is missing, who would get data, and a button to allow it. */
import { config, servicesOf } from "./config";
import { button, make } from "./element";
import { isAllowed, keysOf } from "./hold";
import { fill, textsOf, ui, Ui } from "./language";
import { openRoot } from "./shell";

/** Held element -> what stands in its place, and the display that the page gave it inline. */
const places = new Map<HTMLElement, [host: HTMLElement, display: string]>();
/** px: smaller ones are measuring pixels, not content */
enum Size {
  smallest = 60,
}

/** What lay hidden, in a tab or a closed list, has a size once it is shown. */
const sizes = new ResizeObserver(showPlaceholders);

type Placeholder = HTMLElement & { held: HTMLElement };

function makePlaceholder(held: HTMLElement): HTMLElement {
  const host = make("consent-placeholder", {}) as Placeholder;
  host.held = held;
  sizes.observe(held);
  const root = openRoot(host);
  const services = keysOf(held).flatMap(servicesOf);
  const service = services.map((key) => textsOf[key]?.[0]).join(", ");
  const provider = [...new Set(services.map((key) => config.services[key]?.[0]))].join(", ");
  root.append(
    make(
      "div",
      { class: "held" },
      make("p", {}, fill(Ui.held, { service, provider })),
      make(
        "div",
        {},
        button("allow_service", fill(Ui.allow_service, { service }), "main"),
        ui[Ui.load_once] && button("load_once", ui[Ui.load_once], "main"),
        button("settings", ui[Ui.settings] as string, "quiet"),
      ),
    ),
  );
  return host;
}

/** Takes exactly the room that the held element has in the page's own layout. */
function fit(held: HTMLElement, [host, display]: [HTMLElement, string]): void {
  host.style.display = "none";
  held.style.display = display;
  const { offsetWidth, offsetHeight } = held;
  if (offsetWidth < Size.smallest || offsetHeight < Size.smallest) return;
  const page = getComputedStyle(held);
  for (const name of ["position", "inset", "float", "margin", "gridArea"] as const) host.style[name] = page[name];
  host.style.display = page.display === "inline" ? "inline-block" : page.display;
  host.style.width = offsetWidth + "px";
  host.style.height = offsetHeight + "px";
  held.style.setProperty("display", "none", "important");
  if (!host.isConnected) held.before(host);
}

/** The held element that a placeholder's button stands for. */
export function heldBy(pressed: Element): HTMLElement {
  return ((pressed.getRootNode() as ShadowRoot).host as Placeholder).held;
}

/** Leaves the element as the page made it. */
export function uncover(held: HTMLElement): void {
  const [host, display] = places.get(held) as [HTMLElement, string];
  host.remove();
  held.style.display = display;
  places.delete(held);
}

/** Gives every held frame its placeholder, and takes away those that are not needed any more. */
export function showPlaceholders(): void {
  for (const held of places.keys()) if (!held.isConnected || isAllowed(held)) uncover(held);
  for (const held of document.querySelectorAll<HTMLElement>("iframe,video,embed,object")) {
    if (isAllowed(held) || !keysOf(held).flatMap(servicesOf).every((key) => config.services[key])) continue;
    const place = places.get(held) ?? [makePlaceholder(held), held.style.display];
    places.set(held, place);
    fit(held, place);
  }
}
