/** Second layer: every category and service with its own switch, and what was decided before. */
import { config, type Category, type Texts } from "./config";
import { button, element, outsideLink } from "./element";
import { chooseLanguage, fill, textsIn } from "./language";
import { answerButtons } from "./notice";
import { base } from "./origin";
import { describeService, makeSwitch } from "./services";
import { shell } from "./shell";
import { grantsWhere, isDecided, isGranted, lastDecision, type Grants } from "./state";

let dialog: HTMLDialogElement | undefined;
let switches: Record<string, HTMLInputElement> = {};

/** What the switches say now. */
export function chosenGrants(): Grants {
  return grantsWhere((key) => !!switches[key]?.checked);
}

/** A category follows its services: on, off, or mixed. */
function showCategory({ key, services }: Category): void {
  const input = switches[key];
  if (!input || !services.length) return;
  const on = services.filter((service) => switches[service]?.checked).length;
  input.checked = on === services.length;
  input.indeterminate = on > 0 && !input.checked;
  if (input.indeterminate) input.setAttribute("aria-checked", "mixed");
  else input.removeAttribute("aria-checked");
}

function buildCategory(category: Category, texts: Texts): HTMLElement {
  const { key, services } = category;
  const { name, description, count } = texts.categories[key] ?? { name: key, description: "", count: "" };
  const isFixed = key === "necessary";
  const control = (of: string) =>
    isFixed ? element("span", { class: "always" }, of === key ? texts.ui.always_on : "") : (switches[of] = makeSwitch(of, isGranted(of)));
  const section = element(
    "section",
    { class: "category" },
    element("div", { class: "row" }, element("h3", { id: "name-" + key }, name), control(key)),
    element("p", { id: "about-" + key }, description),
  );
  if (services.length) {
    const details = services.map((service) => describeService(service, texts, control(service)));
    section.append(element("details", {}, element("summary", {}, count), ...details));
  }
  section.addEventListener("change", (event) => {
    if (event.target === switches[key])
      for (const service of services) (switches[service] as HTMLInputElement).checked = (switches[key] as HTMLInputElement).checked;
    showCategory(category);
  });
  showCategory(category);
  return section;
}

/** When and on what the visitor decided, with the way back first: two clicks from anywhere. */
function buildDecided({ ui }: Texts, language: string): HTMLElement | "" {
  const decision = lastDecision();
  if (!decision || !isDecided()) return "";
  const { version, time, subject, grants } = decision;
  const date = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" }).format(time * 1000);
  const shown = `${base}/versions/${version}?language=${language}`;
  return element(
    "section",
    { class: "decided" },
    element("p", {}, fill(ui.decided, { date, version: String(version) })),
    element("p", { class: "links" }, outsideLink(shown, ui.shown_link), element("span", {}, ui.id_label + " ", element("code", {}, subject.slice(0, 8)))),
    Object.values(grants).includes(true) ? button("withdraw", ui.withdraw, "quiet") : "",
  );
}

function buildPreferences(): HTMLDialogElement {
  const language = chooseLanguage();
  const texts = textsIn(language);
  const { ui } = texts;
  switches = {};
  return element(
    "dialog",
    { "aria-labelledby": "title", class: "preferences" },
    element("header", {}, element("h2", { id: "title" }, ui.preferences_heading), button("close", ui.close, "quiet")),
    element(
      "div",
      { class: "content" },
      element("p", {}, ui.preferences_body),
      buildDecided(texts, language),
      ...config.categories.map((category) => buildCategory(category, texts)),
    ),
    element("footer", { class: "answers" }, ...answerButtons(ui.accept_all, ui.reject_all), button("save", ui.save, "quiet")),
  );
}

/** Built anew each time, so that it always shows what holds now. */
export function showPreferences(opener?: HTMLElement): void {
  if (dialog) return;
  const opened = buildPreferences();
  dialog = opened;
  opened.addEventListener("close", () => {
    hidePreferences();
    opener?.focus(); // some browsers do not focus a button that is clicked, so they cannot come back to it
  });
  shell().append(opened);
  if (opened.showModal) opened.showModal();
  else opened.setAttribute("open", "");
}

export function hidePreferences(): void {
  const closing = dialog;
  dialog = undefined;
  closing?.close?.();
  closing?.remove();
}
