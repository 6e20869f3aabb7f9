/** Where frames are sent: by links and forms that name them, and by their own location. */
import { getAttribute, guard, isFirefox, removeAttribute, setAttribute, type Realm } from "./builtins";
import { areAllGranted, verdict } from "./verdict";
import { answerLater, later, wait } from "./waiting";

/** The frame that a link, a form or a call has sent somewhere: where, has been judged. */
let aim = "";

const isFrameName = (target: string) => !/^(|_\w+)$/.test(target);

/** A form or a link; where the page itself goes is the visitor's own step. */
function aimVerdict(element: Element, button?: Element | null): string[] | undefined {
  const read = (name: string) => (button && getAttribute(button, "form" + name)) || getAttribute(element, name) || "";
  const target = read("target");
  if (!isFrameName(target)) return undefined;
  aim = target;
  return verdict(read("action") || read("href"));
}

export function guardAims(realm: Realm): void {
  const { HTMLElement, HTMLFormElement } = realm;
  const { click } = HTMLElement.prototype;
  const { submit } = HTMLFormElement.prototype;
  guard(HTMLFormElement, "submit", (_first, self) => aimVerdict(self), wait);
  guard(HTMLElement, "click", (_first, self) => self.localName === "a" && aimVerdict(self), wait);
  guard(realm, "open", (address, _self, [, target = ""]) => isFrameName(target) && realm[(aim = target)] && verdict(address), answerLater(null));
  const look = (event: Event & { submitter?: Element | null }) => {
    const target = event.composedPath()[0] as Element;
    const element = target.closest?.(event.type === "click" ? "a,area" : "form");
    const keys = element && aimVerdict(element, event.submitter);
    if (!keys) return;
    event.preventDefault();
    later(keys, () => (element.localName === "form" ? submit : click).call(element));
  };
  realm.addEventListener("submit", look, true);
  realm.addEventListener("click", look, true);
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
