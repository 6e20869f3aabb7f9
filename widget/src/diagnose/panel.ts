/** The panel of `?consent-debug`: what the console has, for owners who do not open it. */
import { make } from "../element";
import type { Report } from "./report";
import { sectionsOf, summarise, type Line, type Section } from "./sections";
import { findTags } from "./tag";
import { language, word } from "./texts";

/** Below this many pixels beside the notice only the heading is shown. */
const least = 200;

let host: HTMLElement | undefined;
let isClosed = false;
/** Sections that the owner opened or closed: they stay so when the report is made anew. */
const opened: Record<string, boolean> = {};

function dress(root: ShadowRoot): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(PANEL_CSS);
    root.adoptedStyleSheets = [sheet];
  } catch {
    const style = make("style", {}, PANEL_CSS); // browsers without constructable sheets
    style.nonce = findTags()[0]?.nonce ?? "";
    root.append(style);
  }
}

const press = (text: string, act: (pressed: HTMLButtonElement) => void, look = "") => {
  const button = make("button", { type: "button", class: look }, text);
  button.addEventListener("click", () => act(button));
  return button;
};

/** The buttons of the panel as it is drawn now: what each copies, and its usual label. */
let copyButtons: { of: string; button: HTMLButtonElement; label: "copy" | "copy_report" }[] = [];
let copied = "";

/** A report may be drawn anew while something is copied: its new button tells it then. */
function labelCopies(): void {
  for (const { of, button, label } of copyButtons) button.textContent = word(of === copied ? "copied" : label);
}

/** Plain http has no clipboard: what is to be copied is shown and selected then. */
async function copy(of: string, text: string, pressed: HTMLElement, shown?: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // The report has no place of its own until then; nothing else stands after its button.
    if (!shown && !pressed.nextElementSibling) pressed.after(makeText(word("copy_report"), text));
    getSelection()?.selectAllChildren(shown ?? (pressed.nextElementSibling as Element));
    if (!document.execCommand("copy")) return;
  }
  copied = of;
  labelCopies();
  setTimeout(() => {
    if (copied === of) copied = "";
    labelCopies();
  }, 2000);
}

function makeCopyButton(label: "copy" | "copy_report", text: string, shown?: HTMLElement): HTMLButtonElement {
  const of = shown ? text : label;
  const button = press("", (pressed) => void copy(of, text, pressed, shown));
  copyButtons.push({ of, button, label });
  return button;
}

/** What can be copied, scrolled by the keyboard, too. */
const makeText = (label: string, text: string) => make("pre", { tabindex: "0", role: "group", "aria-label": label, dir: "ltr" }, text);

function drawCode(code: string): HTMLElement {
  const shown = makeText(word("code"), code);
  return make("div", { class: "code" }, shown, makeCopyButton("copy", code, shown));
}

function drawLine({ mark, look, text, details, code }: Line): HTMLElement {
  const shown = details.map((one) => make("p", { class: "detail" }, one));
  return make("li", {}, make("p", {}, mark !== undefined && make("span", { class: "mark " + (look ?? "") }, mark), mark === undefined ? text : " " + text), ...shown, ...code.map(drawCode));
}

function drawSection({ name, lines, isUrgent }: Section): HTMLElement {
  const section = make("details", {}, make("summary", {}, `${word("section_" + name)} (${lines.length})`), lines.length ? make("ul", {}, ...lines.map(drawLine)) : make("p", {}, word("none")));
  section.open = opened[name] ?? (isUrgent && lines.length > 0);
  section.addEventListener("toggle", () => (opened[name] = section.open));
  return section;
}

function close(): void {
  isClosed = true;
  host?.remove();
}

/** Above the notice where they would meet; where there is no room above it, the notice lies on top. */
function fit(): void {
  if (!host?.isConnected) return;
  const frame = host.shadowRoot?.querySelector("section") as HTMLElement;
  const notice = document.querySelector("consent-notice")?.shadowRoot?.querySelector(".notice")?.getBoundingClientRect();
  const { left, right, top } = frame.getBoundingClientRect();
  const meets = notice && notice.left < right && notice.right > left;
  const room = (meets ? notice.top : innerHeight) - top - 8;
  frame.classList.toggle("small", room < least);
  frame.style.maxHeight = room < least ? "" : `${room}px`;
}

function draw(report: Report, lookAgain: () => void): HTMLElement {
  const head = make(
    "div",
    { class: "head" },
    make("h2", { id: "title" }, word("title")),
    press(word("look_again"), lookAgain, "again"),
    press(word("close"), close, "close"),
  );
  const body = make(
    "div",
    { class: "body" },
    ...summarise(report).map((one) => make("p", {}, one)),
    ...sectionsOf(report).map(drawSection),
    makeCopyButton("copy_report", JSON.stringify(report, null, 2)),
  );
  return make("section", { "aria-labelledby": "title" }, head, body);
}

function makeHost(lookAgain: () => void): HTMLElement {
  const made = make("consent-diagnosis", {});
  const root = made.attachShadow({ mode: "open" });
  dress(root);
  root.addEventListener("keydown", (event) => {
    if ((event as KeyboardEvent).key === "Escape") close();
  });
  addEventListener("resize", fit);
  // After the notice has gone, or come.
  document.addEventListener("consent:change", () => {
    if (host?.isConnected) lookAgain();
  });
  return made;
}

/** Drawn anew for each report; once closed it stays closed on this page. */
export function openPanel(report: Report, lookAgain: () => void): void {
  if (isClosed) return;
  host ??= makeHost(lookAgain);
  host.lang = language;
  host.dir = word("direction");
  const root = host.shadowRoot as ShadowRoot;
  const focused = root.activeElement?.className;
  root.querySelector("section")?.remove();
  copyButtons = [];
  root.append(draw(report, lookAgain));
  labelCopies();
  if (!host.isConnected) document.body.append(host);
  fit();
  if (focused) root.querySelector<HTMLElement>("." + focused)?.focus();
}
