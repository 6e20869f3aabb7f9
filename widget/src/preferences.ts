/** Second layer: every category and service with its own switch, and what was decided before. */
import { asksNothing, config } from "./config";
import { button, make, outsideLink } from "./element";
import { fill, language, textsOf, ui, Ui, type Texts } from "./language";
import { makeAnswers } from "./notice";
import { base } from "./origin";
import { isOnlyTold, makeChoices } from "./regime";
import { describeService, makeHeading, makeSwitch } from "./services";
import { shell } from "./shell";
import { makeStatus } from "./status";
import { current, grantsWhere, Category, isGranted, type Grants } from "./state";

let dialog: HTMLDialogElement | undefined;
let opener: HTMLElement | undefined;
let switches: Record<string, HTMLInputElement>;

const isOn = (key: string) => !!switches[key]?.checked;

/** What the switches say now. */
export function chosenGrants(): Grants {
  return grantsWhere(isOn);
}

function makeCategory([key, ...services]: [string, ...string[]]): HTMLElement {
  const [name, description, count] = textsOf[key] as Texts;
  const control = (of: string, fixed = "") => (key === Category.necessary ? fixed : (switches[of] = makeSwitch(of, isGranted(of))));
  const section = make(
    "section",
    {},
    makeHeading("h3", key, name, control(key, ui[Ui.always_on])),
    make("p", { id: "about-" + key }, description),
    services.length &&
      make("details", {}, make("summary", {}, count), ...services.map((service) => describeService(service, control(service)))),
  );
  const own = switches[key];
  /** A category follows its services: on, off, or mixed. */
  const follow = () => {
    if (!own || !services.length) return;
    own.checked = services.every(isOn);
    own.indeterminate = !own.checked && services.some(isOn);
  };
  section.onchange = ({ target }) => {
    if (target === own) for (const service of services) (switches[service] as HTMLInputElement).checked = own.checked;
    follow();
  };
  follow();
  return section;
}

/** When and on what the visitor decided, with the way back first: two clicks from anywhere. */
function makeDecided(): HTMLElement | undefined {
  if (!current) return undefined;
  const { version, subject_id, decided_at, grants } = current;
  // Chromium knows no Irish, Icelandic or Maltese: Lithuanian writes the numbers alone (2026-11-28), and no word of another language.
  const date = new Date(decided_at).toLocaleString([language, "lt"], { dateStyle: "medium", timeStyle: "short" });
  // The version leads to its words, and from there to all others.
  const [before, after] = fill(Ui.decided, { date, version: "~" }).split("~");
  return make(
    "section",
    { class: "decided" },
    make("p", {}, before, outsideLink(`${base}/versions/${version}?language=${language}`, `${version}`), after),
    make(
      "p",
      { class: "links" },
      // Behind the #: no address that is sent holds the secret.
      outsideLink(`${base}/me?language=${language}#${subject_id}`, ui[Ui.shown_link] as string),
      make("span", {}, ui[Ui.id_label] + " ", make("code", {}, subject_id.slice(0, 8))),
    ),
    !(REGIMES && isOnlyTold()) && Object.values(grants).includes(true) && button("withdraw", ui[Ui.withdraw] as string, "quiet"),
  );
}

/** Built anew each time, so that it always shows what holds now. */
export function showPreferences(pressed?: HTMLElement): void {
  if (dialog) return;
  opener = pressed ?? (document.activeElement as HTMLElement);
  const root = shell();
  switches = {};
  root.append(
    (dialog = make(
      "dialog",
      { "aria-labelledby": "title" },
      make("div", { class: "row" }, make("h2", { id: "title" }, ui[Ui.preferences_heading]), button("close", ui[Ui.close] as string, "quiet")),
      make("div", { class: "content" }, make("p", {}, ui[Ui.preferences_body] + " ", outsideLink(ui[Ui.policy_url] as string, ui[Ui.policy] as string)), makeStatus(), ...(REGIMES && isOnlyTold() && !asksNothing() ? [make("div", { class: "answers" }, ...makeChoices("main", "opt_out", "limit_use"))] : []), makeDecided(), ...config.categories.map(makeCategory)),
      !asksNothing() && makeAnswers(button("save", ui[Ui.save] as string, "quiet")),
    )),
  );
  dialog.onclose = hidePreferences;
  dialog.showModal?.();
  dialog.setAttribute("open", ""); // where there is no such function
}

export function hidePreferences(): void {
  dialog = dialog?.remove() as undefined;
  opener = opener?.focus() as undefined; // some browsers do not focus a button that is clicked, so they cannot come back to it
}
