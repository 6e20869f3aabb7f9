/** First layer: the question, and three equal answers. */
import { config } from "./config";
import { button, make } from "./element";
import { textsOf, ui, Ui } from "./language";
import { makeNews } from "./news";
import { isOnlyTold, makeChoices } from "./regime";
import { announce, draw, host, shell } from "./shell";
import { makeStatus } from "./status";

let notice: HTMLElement | undefined;

/** Accept all and Reject all are made by one line of code, so that neither can be favoured. */
export function makeAnswers(...others: HTMLElement[]): HTMLElement {
  const answers = config.answers.map((action) => button(action, ui[action === "accept_all" ? Ui.accept_all : Ui.reject_all] as string, "main"));
  return make("div", { class: "answers" }, ...answers, ...others);
}

/** Where nothing is asked, there is nothing to accept. */
function makeButtons(settings: HTMLElement): HTMLElement {
  if (!isOnlyTold()) return makeAnswers(...makeChoices("quiet", "object"), settings);
  return make("div", { class: "answers" }, ...makeChoices("main", "opt_out", "limit_use", "close"), settings);
}

function makeNotice(): HTMLElement {
  return make(
    "section",
    { class: "notice " + config.position, role: "dialog", "aria-labelledby": "heading", "aria-describedby": NEWS ? "news body" : "body" },
    make(
      "div",
      { class: "content" },
      make("h2", { id: "heading" }, ui[Ui.heading]),
      ...(NEWS ? [makeNews()] : []),
      make("p", { id: "body" }, ui[Ui.body]),
      makeStatus(),
      make("ul", {}, ...config.categories.map(([key]) => make("li", {}, textsOf[key]?.[0]))),
      make("p", { class: "links" }, button("settings", ui[Ui.services_link] as string, "link"), make("a", { href: ui[Ui.policy_url] as string }, ui[Ui.policy])),
    ),
    (REGIMES ? makeButtons : makeAnswers)(button("settings", ui[Ui.settings] as string, "quiet")),
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

/** What the keyboard goes to on the page may not stay behind us (WCAG 2.2, 2.4.11): it is scrolled free, else the notice makes way. */
export function makeWay({ target }: Event): void {
  const focused = target as Element;
  if (!focused.matches(":focus-visible")) return; // a press whose page moves under it would miss
  // The browser scrolls after the event.
  setTimeout(() => {
    for (const block of ["center", "start", "end", "", "start", "end"] as const) {
      const { x, y, width, height } = focused.getBoundingClientRect(); // ours has no width
      if (width && document.elementFromPoint(x + width / 2, y + height / 2) === host)
        block ? focused.scrollIntoView({ block, behavior: "instant" }) : notice?.classList.toggle("top");
    }
  });
}

export const isAsking = () => notice;

export function hideNotice(): void {
  notice = notice?.remove() as undefined;
}
