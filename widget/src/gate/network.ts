/** Whatever sends without an element: the call waits, or gets a harmless answer. */
import { wrap, type Realm } from "./builtins";
import { standIn } from "./later";
import { textVerdict, verdict } from "./verdict";
import { later } from "./waiting";

const first = (_self: unknown, [address]: unknown[]) => verdict(address);
const firstText = (_self: unknown, [text]: unknown[]) => textVerdict(text);

/** Settles as the native call does once it may be made; refused, it fails as a lost line does. */
export const promiseLater = (keys: string[], go: () => unknown) =>
  new Promise((resolve, reject) => later(keys, () => resolve(go()), () => reject(new TypeError("Failed to fetch"))));

const answerLater = <T>(answer: T) => (keys: string[], go: () => unknown): T => {
  later(keys, go);
  return answer;
};

const requestAddress = (_self: unknown, [request]: unknown[]) =>
  verdict(typeof request === "object" && request && "url" in request ? request.url : request);

function guardRequests(realm: Realm): void {
  wrap(realm, "fetch", requestAddress, promiseLater);
  wrap(realm, "fetchLater", requestAddress, answerLater({ activated: false }));
  wrap(realm.Navigator.prototype, "sendBeacon", first, answerLater(true));
  wrap(realm.ServiceWorkerContainer?.prototype, "register", first, promiseLater);
  wrap(realm.Worklet?.prototype, "addModule", first, promiseLater);
  for (const name of ["WebSocket", "EventSource", "Worker", "SharedWorker"]) wrap(realm, name, first, (keys, go) => standIn(realm[name], keys, go));
  for (const name of ["WebTransport", "WebSocketStream"])
    wrap(realm, name, first, () => {
      throw new realm.DOMException("", "NetworkError");
    });
  // The document's fonts load by their text; one that must not is made of nothing.
  wrap(realm, "FontFace", (_self, [, source]: unknown[]) => textVerdict(source), (_keys, _go, _self, [family]: string[]) => new realm.FontFace(family, "local('-')"));
  wrap(realm, "Audio", first, (_keys, _go, _self, [address]: string[]) => Object.assign(new realm.Audio(), { src: address }));
}

function guardXhr({ XMLHttpRequest: { prototype } }: Realm): void {
  const targets = new WeakMap<object, unknown>();
  const asynchronous = new WeakSet<object>();
  const notice = (self: XMLHttpRequest, [, address, isAsync = true]: unknown[]): undefined => {
    targets.set(self, address);
    if (isAsync) asynchronous.add(self);
    else asynchronous.delete(self);
  };
  wrap(prototype, "open", notice, () => undefined);
  const fail = (self: XMLHttpRequest) => {
    for (const type of ["error", "loadend"]) self.dispatchEvent(new ProgressEvent(type));
  };
  wrap(
    prototype,
    "send",
    (self: XMLHttpRequest) => verdict(targets.get(self)),
    (keys, go, self: XMLHttpRequest) => {
      if (asynchronous.has(self)) later(keys, () => self.readyState === 1 && go(), () => fail(self));
    },
  );
}

function guardStyles(realm: Realm): void {
  const { CSSStyleSheet, CSSGroupingRule, CSSStyleDeclaration } = realm;
  for (const { prototype } of [CSSStyleSheet, CSSGroupingRule]) {
    wrap(prototype, "insertRule", firstText, answerLater(0));
    wrap(prototype, "replaceSync", firstText, answerLater(undefined));
    wrap(prototype, "replace", firstText, (keys, go, self) => (later(keys, go), Promise.resolve(self)));
    wrap(prototype, "addRule", (_self, [, style]: unknown[]) => textVerdict(style), answerLater(-1));
  }
  const { prototype } = CSSStyleDeclaration;
  wrap(prototype, "setProperty", (_self, [, value]: unknown[]) => textVerdict(value), answerLater(undefined));
  const named = realm.CSSStyleProperties?.prototype ?? realm.CSS2Properties?.prototype ?? prototype;
  for (const name of ["cssText", ...Object.getOwnPropertyNames(named)])
    if (/cssText|background|image|content|cursor|list-?style|mask|filter|clip|shape|offset/i.test(name))
      wrap(name === "cssText" ? prototype : named, name, firstText, answerLater(undefined), "set");
}

/** Forms into frames: where the page itself goes is the visitor's own step. */
function guardForms(realm: Realm): void {
  const intoFrame = (form: HTMLFormElement, button?: HTMLElement | null) => {
    const target = button?.getAttribute("formtarget") ?? form.getAttribute("target") ?? "";
    return /^(|_self|_top|_parent|_blank)$/i.test(target) ? undefined : verdict(button?.getAttribute("formaction") ?? form.getAttribute("action") ?? "");
  };
  wrap(realm.HTMLFormElement.prototype, "submit", (self: HTMLFormElement) => intoFrame(self), answerLater(undefined));
  realm.addEventListener(
    "submit",
    (event: SubmitEvent) => {
      const form = event.target as HTMLFormElement;
      const keys = intoFrame(form, event.submitter);
      if (!keys) return;
      event.preventDefault();
      later(keys, () => realm.HTMLFormElement.prototype.submit.call(form));
    },
    true,
  );
}

export function guardNetwork(realm: Realm): void {
  guardRequests(realm);
  guardXhr(realm);
  guardStyles(realm);
  guardForms(realm);
}
