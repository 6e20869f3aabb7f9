/** A change that is coming, told beforehand: it asks nothing, takes no focus and covers nothing that is pressed. */
import { config } from "./config";
import { make } from "./element";
import { language } from "./language";
import { draw, shell } from "./shell";

/** No identifier: the day of the change, so that another announcement is told again. */
const key = `consent_${config.site}_announcement`;

function isClosed(end: string): boolean {
  try {
    return sessionStorage.getItem(key) === end;
  } catch {
    return false;
  }
}

function rememberClosed(end: string): void {
  try {
    sessionStorage.setItem(key, end);
  } catch {
    // it is told again on the next page
  }
}

/** Only in the page itself: a frame of it would tell it twice. */
export function showAnnouncement(): void {
  const told = config.announcement;
  const now = Date.now();
  if (!told || top !== self || now < Date.parse(told.start) || now >= Date.parse(told.end) || isClosed(told.end)) return;
  draw(() => {
    const root = shell();
    const [text, label] = told.said[language] as [string, string];
    const words = make("p", { role: "status" });
    const close = make("button", { class: "quiet" }, label);
    const banner = make("div", { class: "announcement" }, words, close);
    close.onclick = () => {
      banner.remove();
      rememberClosed(told.end);
    };
    root.append(banner);
    words.textContent = text; // into what is there already, so that it is read out
  });
}
