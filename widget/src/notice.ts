/** First layer: the question, and three equal answers. */
import { config } from "./config";
import { button, element } from "./element";
import { chooseLanguage, textsIn } from "./language";
import { announce, draw, shell } from "./shell";

let notice: HTMLElement | undefined;

/** Accept all and Reject all are made by one line of code, so that neither can be favoured. */
export function answerButtons(accept: string, reject: string): HTMLButtonElement[] {
  const answers = [button("accept_all", accept, "main"), button("reject_all", reject, "main")];
  return config.theme.order === "reject_first" ? answers.reverse() : answers;
}

function buildNotice(): HTMLElement {
  const { ui, categories } = textsIn(chooseLanguage());
  const names = config.categories.map(({ key }) => element("li", {}, categories[key]?.name ?? key));
  const services = element("button", { type: "button", class: "link", "data-consent-action": "settings" }, ui.services_link);
  return element(
    "section",
    { role: "dialog", "aria-labelledby": "heading", "aria-describedby": "body", class: "notice " + config.theme.form },
    element(
      "div",
      { class: "words" },
      element("h2", { id: "heading" }, ui.heading),
      element("p", { id: "body" }, ui.body),
      element("ul", { class: "names" }, ...names),
      element("p", { class: "links" }, services, element("a", { href: ui.policy_url }, ui.policy)),
    ),
    element("div", { class: "answers" }, ...answerButtons(ui.accept_all, ui.reject_all), button("settings", ui.settings, "quiet")),
  );
}

export function showNotice(): void {
  draw(() => {
    if (notice) return;
    notice = buildNotice();
    shell().prepend(notice);
    announce(textsIn(chooseLanguage()).ui.heading);
  });
}

export function hideNotice(): void {
  notice?.remove();
  notice = undefined;
}
