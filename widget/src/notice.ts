/** First layer: the question, and three equal answers. */
import { config } from "./config";
import { button, make } from "./element";
import { categoryTexts, ui, Ui } from "./language";
import { makeNews } from "./news";
import { announce, draw, shell } from "./shell";

let notice: HTMLElement | undefined;

/** Accept all and Reject all are made by one line of code, so that neither can be favoured. */
export function makeAnswers(...others: HTMLElement[]): HTMLElement {
  const labels = { accept_all: Ui.accept_all, reject_all: Ui.reject_all };
  const answers = Object.entries(labels).map(([action, label]) => button(action, ui[label] as string, "main"));
  if (config.order === "reject_first") answers.reverse();
  return make("div", { class: "answers" }, ...answers, ...others);
}

function makeNotice(): HTMLElement {
  const names = config.categories.map(([key]) => make("li", {}, categoryTexts[key]?.[0]));
  return make(
    "section",
    { class: "notice " + config.position, role: "dialog", "aria-labelledby": "heading", "aria-describedby": NEWS ? "news body" : "body" },
    make(
      "div",
      {},
      make("h2", { id: "heading" }, ui[Ui.heading]),
      NEWS && makeNews(),
      make("p", { id: "body" }, ui[Ui.body]),
      make("ul", {}, ...names),
      make("p", { class: "links" }, button("settings", ui[Ui.services_link] as string, "link"), make("a", { href: ui[Ui.policy_url] as string }, ui[Ui.policy])),
    ),
    makeAnswers(button("settings", ui[Ui.settings] as string, "quiet")),
  );
}

export function showNotice(): void {
  draw(() => {
    if (notice) return;
    const root = shell();
    root.prepend((notice = makeNotice()));
    announce(Ui.heading);
  });
}

export function hideNotice(): void {
  notice = notice?.remove() as undefined;
}
