/** The one element that we add to a page: <consent-notice> with everything of ours in its shadow root. */
import { actions } from "./actions";
import { config } from "./config";
import { make, own } from "./element";
import { isAsking } from "./notice";
import { chooseLanguage, language, ui, Ui } from "./language";
import { nonce } from "./origin";

let sheet: CSSStyleSheet | undefined;

function dress(root: ShadowRoot): void {
  try {
    if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(config.css);
    root.adoptedStyleSheets = [sheet];
  } catch {
    const style = make("style", {}, config.css); // browsers without constructable sheets
    style.nonce = nonce;
    root.append(style);
  }
}

/** A property, not a listener: pages that wrap addEventListener would have it twice. */
function press(event: Event): void {
  const pressed = (event.composedPath()[0] as Element).closest<HTMLElement>("[data-consent-action]");
  if (pressed) actions[pressed.getAttribute("data-consent-action") as string]?.(pressed);
}

/** Again for each layer: the page may have changed its language since, and document.open() takes every listener away. */
function attend(host: HTMLElement): void {
  if (!isAsking()) chooseLanguage(); // what is recorded is what they were asked in
  host.lang = language;
  host.dir = ui[Ui.direction] as string;
  host.onclick = press;
}

export function openRoot(host: HTMLElement): ShadowRoot {
  const root = host.attachShadow({ mode: "open" });
  attend(host);
  dress(root);
  return root;
}

export let host: HTMLElement | undefined;
const status = make("p", { class: "status", role: "status" });
const drawing: (() => void)[] = [];

/** Our shadow root; made on first use, always the first thing in the body. */
export function shell(): ShadowRoot {
  if (host) attend(host);
  else openRoot((host = make("consent-notice", {}))).append(status);
  if (!host.isConnected) own("body").prepend(host);
  return host.shadowRoot as ShadowRoot;
}

/** Draws as soon as there is a body to draw in. */
export function draw(make: () => void): void {
  drawing.push(make);
  keepShell();
}

/** Called for every change of the page: the body has come, or the page threw our element out. */
export function keepShell(): void {
  if (!own("body")) return;
  for (const make of drawing.splice(0)) make();
  if (host && !host.isConnected) setTimeout(shell);
}

/** Says it once, politely, to those who listen. */
export function announce(text: Ui): void {
  draw(() => {
    shell();
    setTimeout(() => (status.textContent = ui[text] as string), 100);
  });
}
