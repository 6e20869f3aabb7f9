/** Where frames are sent: by links and forms that name them, and by their own location. */
import { getAttribute, guard, isFirefox, removeAttribute, setAttribute, type Realm } from "./builtins";
import { areAllGranted, verdict } from "./verdict";
import { answerLater, later, wait } from "./waiting";

/** The frame that a link, a form or a call has sent somewhere: where, has been judged. */
let aim = "";

const isFrameName = (target: string) => /^[^_]/.test(target);

/** A form or a link; where the page itself goes is the visitor's own step. */
function aimVerdict(element: Element, button?: Element | null): string[] | undefined {
  const read = (name: string) => (button && getAttribute(button, "form" + name)) || getAttribute(element, name) || "";
  const target = read("target");
  if (!isFrameName(target)) return undefined;
  if (STRICT) aim = target;
  return verdict(read("action") || read("href"));
}

function stop(event: Event, keys: string[] | undefined, go: () => unknown): void {
  if (!keys) return;
  event.preventDefault();
  later(keys, go);
}

export function guardAims(realm: Realm): void {
  const { HTMLElement, HTMLFormElement } = realm;
  const { click } = HTMLElement.prototype;
  const { submit } = HTMLFormElement.prototype;
  const ofAim = (_first: unknown, self: Element) => /^(a|form)$/.test(self.localName) && aimVerdict(self);
  guard(HTMLFormElement, "submit", ofAim, wait);
  guard(HTMLElement, "click", ofAim, wait);
  // A document opens windows, too; and a frame may be sent somewhere by a window of its own.
  for (const owner of [realm, realm.Document])
    guard(owner, "open", (address, _self, [, target = ""]) => (target === "_self" ? realm.frameElement : isFrameName(target) && realm[STRICT ? (aim = target) : target]) && verdict(address), answerLater(null));
  const look = (event: Event & { submitter?: Element | null }) => {
    const target = event.composedPath()[0] as Element;
    const element = target.closest?.(event.type === "click" ? "a,area" : "form");
    if (element) stop(event, aimVerdict(element, event.submitter), () => (element.localName === "form" ? submit : click).call(element));
  };
  realm.addEventListener("submit", look, true);
  realm.addEventListener("click", look, true);
}

/** A frame that has a page tells where its location is sent (HTML: the navigate event), but not what a visitor presses: that is their own step. */
export function guardPages(realm: Realm): void {
  if (realm.frameElement) realm.navigation?.addEventListener("navigate", (event: Realm) => {
    const { url } = event.destination;
    if (!event.userInitiated && !event.defaultPrevented) stop(event, verdict(url), () => (realm.location = url));
  });
}

/** Nobody can see where an empty frame's location is sent: in strict mode code does not run there while anything is refused, unless it is our own. */
export function guardLocation(realm: Realm): void {
  const frame = realm.frameElement as HTMLIFrameElement | null;
  if (STRICT && frame && !isFirefox)
    realm.addEventListener("beforeunload", () => {
      if (areAllGranted() || realm.location.href !== "about:blank" || frame.name === (aim || 0) || !/^(about:|javascript:|$)/.test(getAttribute(frame, "src") ?? getAttribute(frame, "srcdoc") ?? "")) return;
      const before = getAttribute(frame, "sandbox");
      setAttribute(frame, "sandbox", "allow-same-origin");
      frame.addEventListener(
        "load",
        () => {
          if (!frame.contentDocument) return;
          if (before === null) removeAttribute(frame, "sandbox");
          else setAttribute(frame, "sandbox", before);
          realm.location.reload();
        },
        { once: true },
      );
    });
}
