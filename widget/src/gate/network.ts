/** Whatever sends without an element: the call waits, or gets a harmless answer. */
import { surround, wrap, type Realm } from "./builtins";
import { standIn } from "./later";
import { blobs, textVerdict, verdict } from "./verdict";
import { later } from "./waiting";

const first = (_self: unknown, [address]: unknown[]) => verdict(address);
const isFrameName = (target: string) => !/^(|_self|_top|_parent|_blank)$/i.test(target);
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
  for (const name of ["WebSocket", "EventSource", "Worker", "SharedWorker"])
    wrap(realm, name, first, (keys, go) => standIn(realm[name], keys, go));
  for (const name of ["WebTransport", "WebSocketStream"])
    wrap(realm, name, first, () => {
      throw new realm.DOMException("", "NetworkError");
    });
  wrap(realm, "FontFace", (_self, [, source]: unknown[]) => textVerdict(source), (keys, go, _self, [family]: string[]) => fontLater(realm, family as string, keys, go));
  wrap(realm, "Audio", first, (_keys, _go, _self, [address]: string[]) => Object.assign(new realm.Audio(), { src: address }));
}

/** A font of no source, which the real one replaces where it is used. */
function fontLater({ FontFace, document: { fonts } }: Realm, family: string, keys: string[], go: () => unknown): object {
  const mock = new FontFace(family, "local('-')") as FontFace;
  later(keys, () => {
    if (fonts.delete(mock)) fonts.add(go());
  });
  return mock;
}

function guardXhr({ XMLHttpRequest: { prototype } }: Realm): void {
  const opened = new WeakMap<object, unknown[]>();
  surround(prototype, "open", (go, self: object, args) => {
    opened.set(self, args);
    return go();
  });
  const fail = (self: XMLHttpRequest) => {
    for (const type of ["error", "loadend"]) self.dispatchEvent(new ProgressEvent(type));
  };
  wrap(
    prototype,
    "send",
    (self: XMLHttpRequest) => verdict(opened.get(self)?.[1]),
    (keys, go, self: XMLHttpRequest) => {
      if (opened.get(self)?.[2] ?? true) later(keys, () => self.readyState === 1 && go(), () => fail(self));
    },
  );
}

/** A worker's own code is out of our reach: it waits as a whole where it names an address that must. */
function guardBlobs(realm: Realm): void {
  const texts = new WeakMap<object, string>();
  surround(realm, "Blob", (go, _self, [parts]: unknown[]) => {
    const blob = go() as object;
    const text = [...((parts as unknown[]) ?? [])].filter((part) => typeof part === "string").join("");
    if (text.includes("//")) texts.set(blob, text);
    return blob;
  });
  surround(realm.URL, "createObjectURL", (go, _self, [blob]: object[]) => {
    const address = go() as string;
    const text = texts.get(blob as object);
    if (text) blobs.set(address, text);
    return address;
  });
}

function guardStyles(realm: Realm): void {
  const { CSSStyleSheet, CSSGroupingRule } = realm;
  for (const { prototype } of [CSSStyleSheet, CSSGroupingRule]) {
    wrap(prototype, "insertRule", firstText, answerLater(0));
    wrap(prototype, "replaceSync", firstText, answerLater(undefined));
    wrap(prototype, "replace", firstText, (keys, go, self) => (later(keys, go), Promise.resolve(self)));
    wrap(prototype, "addRule", (_self, [, style]: unknown[]) => textVerdict(style), answerLater(-1));
  }
}

/** Forms into frames: where the page itself goes is the visitor's own step. */
function guardForms(realm: Realm): void {
  const intoFrame = (form: HTMLFormElement, button?: HTMLElement | null) => {
    const target = button?.getAttribute("formtarget") ?? form.getAttribute("target") ?? "";
    return isFrameName(target) ? verdict(button?.getAttribute("formaction") ?? form.getAttribute("action") ?? "") : undefined;
  };
  wrap(realm.HTMLFormElement.prototype, "submit", (self: HTMLFormElement) => intoFrame(self), answerLater(undefined));
  wrap(realm, "open", (_self, [address, target = ""]: string[]) => (isFrameName(target) && realm.frames[target] ? verdict(address) : undefined), answerLater(null));
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
  guardBlobs(realm);
  guardStyles(realm);
  guardForms(realm);
}
