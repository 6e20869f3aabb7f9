/** Takes the decision along to other addresses of the site: on a click, for one use, behind the `#` that no server is sent. */
import { keepAnswered, type Receipt } from "../answered";
import type { Kit } from "../kit";

declare const kit: Kit;

const { config, base } = kit;
const mark = /^#consent=([\w-]*)&?/;
const longestWait = 1000; // ms: then the visitor goes without, and is asked there

async function post<Answer>(path: string, body: object, token = ""): Promise<Answer> {
  const response = await fetch(base + path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...(token && { authorization: "Bearer " + token }) },
    credentials: "include",
  });
  const answer = (await response.json()) as Answer;
  if (!response.ok) throw answer;
  return answer;
}

/** The way out: `#consent=...` for the current decision, good once, for a minute, at that origin. */
async function handOver(target: string): Promise<string> {
  const { token } = await post<{ token: string }>("/hand-over", { target }, kit.current()?.subject_id);
  return "#consent=" + token;
}

function follow(event: MouseEvent): void {
  const link = (event.composedPath()[0] as Element | undefined)?.closest?.<HTMLAnchorElement>("a[href]");
  if (!link || !config.handOver?.includes(link.origin) || link.origin === location.origin) return;
  // A token that stands in a page is somebody else's: with it they would decide for this visitor.
  if (mark.test(link.hash)) link.hash = link.hash.replace(mark, "");
  const isPlain = !event.button && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!isPlain || event.defaultPrevented || (link.target && link.target !== "_self") || link.hasAttribute("download") || !kit.isDecided()) return;
  event.preventDefault();
  const { href, hash } = link;
  const late = new Promise<string>((done) => setTimeout(done, longestWait, ""));
  void Promise.race([handOver(link.origin).catch(() => ""), late]).then((found) =>
    location.assign(found ? href.replace(/#.*/, "") + found + hash.replace("#", "&") : href),
  );
}

/** 16 random bytes in hex: another address knows this visitor by another id. */
const newSubject = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => (byte | 256).toString(16).slice(1)).join("");

/** The way in: the token goes from the address before anybody copies or logs it. */
function takeOver(): void {
  const token = mark.exec(location.hash)?.[1];
  if (token === undefined) return;
  const rest = location.hash.replace(mark, "");
  history.replaceState(history.state, "", location.pathname + location.search + (rest && "#" + rest));
  const known = kit.current();
  const subject_id = known?.subject_id ?? newSubject();
  const came_from = document.referrer && new URL(document.referrer).origin;
  void post<Receipt>("/hand-over/take", { token, subject_id, came_from, ...(known && { known_at: known.decided_at }) })
    .then((receipt) => {
      keepAnswered(kit, subject_id, receipt);
    })
    .catch(() => {}); // the visitor is asked here
}

let isStarted = false;
kit.followers.push(() => {
  if (!isStarted) takeOver();
  isStarted = true;
});
addEventListener("click", follow);
Object.assign((window as { consent?: object }).consent as object, { handOver });
