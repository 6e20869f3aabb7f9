/** The one element that we add to a page: <consent-notice> with everything of ours in its shadow root. */
import { config } from "./config";
import { element } from "./element";
import { chooseLanguage, direction } from "./language";
import { dress } from "./styles";

type Action = (pressed: HTMLElement) => void;

/** What the buttons do, by their data-consent-action. */
export const actions: Record<string, Action> = {};

export function openRoot(host: HTMLElement): ShadowRoot {
  const root = host.attachShadow({ mode: "open" });
  const language = chooseLanguage();
  host.lang = language;
  host.dir = direction(language);
  dress(root);
  root.addEventListener("click", (event) => {
    const pressed = (event.target as Element).closest<HTMLElement>("[data-consent-action]");
    if (pressed) actions[pressed.dataset.consentAction ?? ""]?.(pressed);
  });
  return root;
}

let host: HTMLElement | undefined;
let status: HTMLElement | undefined;
const drawing: (() => void)[] = [];

/** Our shadow root; made on first use, always the first thing in the body. */
export function shell(): ShadowRoot {
  if (!host) {
    host = document.createElement("consent-notice");
    host.className = config.theme.position;
    const root = openRoot(host);
    root.append((status = element("p", { role: "status", class: "status" })));
  }
  if (!host.isConnected) document.body.prepend(host);
  return host.shadowRoot as ShadowRoot;
}

/** Draws as soon as there is a body to draw in. */
export function draw(make: () => void): void {
  if (document.body) make();
  else drawing.push(make);
}

/** Called for every change of the page: the body has come, or the page threw our element out. */
export function keepShell(): void {
  if (!document.body) return;
  for (const make of drawing.splice(0)) make();
  if (host && !host.isConnected) setTimeout(shell);
}

/** Says it once, politely, to those who listen. */
export function announce(text: string): void {
  shell();
  setTimeout(() => status && (status.textContent = text), 100);
}
