/** Whatever sends without an element: the call waits, or gets a harmless answer. */
import { guard, hook, type Realm } from "./builtins";
import { standIn } from "./later";
import { blobs, codeVerdict, originOf, textVerdict, verdict, verdictOfAny } from "./verdict";
import { answerLater, later, promiseLater, wait } from "./waiting";

/** A font of no source, which the real one replaces where it is used. */
function fontLater({ FontFace, document: { fonts } }: Realm, family: string, keys: string[], go: () => unknown): object {
  const mock = new FontFace(family, "local('-')") as FontFace;
  later(keys, () => {
    const font = go() as FontFace;
    if (fonts.delete(mock)) fonts.add(font);
    void font.load();
  });
  return mock;
}

/** A worker's own file is read before it starts: what is in it is out of our reach. */
function workerVerdict(address: unknown): string[] | undefined {
  const keys = verdict(address, codeVerdict);
  // Of another origin the browser itself refuses it; what a blob or a data address holds is judged.
  if (keys || originOf(address) !== location.origin || /^blob:/.test(String(address))) return keys;
  const request = new XMLHttpRequest();
  request.open("GET", String(address), false);
  request.send();
  return codeVerdict(request.responseText);
}

function guardRequests(realm: Realm): void {
  const { prototype } = realm.Navigator;
  const ofAddress = (address: unknown) => verdict(address);
  guard(realm, "fetch", ofAddress, promiseLater);
  guard(realm, "fetchLater", ofAddress, answerLater({ activated: false }));
  guard(prototype, "sendBeacon", ofAddress, answerLater(true));
  guard(realm.ServiceWorkerContainer?.prototype, "register", workerVerdict, promiseLater);
  guard(realm.Worklet?.prototype, "addModule", ofAddress, promiseLater);
  for (const name of ["WebSocket", "EventSource", "WebTransport", "WebSocketStream", "Worker", "SharedWorker"])
    guard(realm, name, /er$/.test(name) ? workerVerdict : ofAddress, (keys, go) => standIn(realm[name], keys, go));
  guard(realm.Worker.prototype, "postMessage", (message) => typeof message === "string" && textVerdict(message), wait);
  guard(realm.Cache?.prototype, "add addAll put", (requests) => verdictOfAny(requests), promiseLater);
  guard(realm, "FontFace", (_family, _self, [, source]) => textVerdict(source), (keys, go, _self, [family]) => fontLater(realm, family, keys, go));
  guard(realm, "Audio", ofAddress, (_keys, _go, _self, [src]) => Object.assign(new realm.Audio(), { src }));
}

function guardXhr({ XMLHttpRequest: { prototype } }: Realm): void {
  const opened = new WeakMap<object, unknown[]>();
  hook(prototype, "open", (go, self, args) => (opened.set(self, args), go()));
  guard(
    prototype,
    "send",
    (_body, self) => verdict(opened.get(self)?.[1]),
    (keys, go, self: XMLHttpRequest) => {
      const isAsync = opened.get(self)?.[2] ?? true;
      const fail = () => ["error", "loadend"].forEach((type) => self.dispatchEvent(new ProgressEvent(type)));
      if (isAsync) later(keys, () => self.readyState === 1 && go(), fail);
    },
  );
}

/** What blobs are made of, so that their addresses can be judged. */
function guardBlobs(realm: Realm): void {
  const texts = new WeakMap<object, string>();
  hook(realm, "Blob", (go, _self, [parts]) => {
    const blob = go() as object;
    texts.set(blob, [...(parts ?? [])].map((part) => (typeof part === "string" ? part : texts.get(part))).join(""));
    return blob;
  });
  hook(realm.URL, "createObjectURL", (go, _self, [blob]) => {
    const address = go() as string;
    const text = texts.get(blob);
    if (text?.includes("//")) blobs.set(address, text);
    return address;
  });
}

function guardSheets(realm: Realm): void {
  for (const { prototype } of [realm.CSSStyleSheet, realm.CSSGroupingRule]) {
    guard(prototype, "insertRule", (text) => textVerdict(text), answerLater(0));
    guard(prototype, "replaceSync", (text) => textVerdict(text), wait);
    guard(prototype, "replace", (text) => textVerdict(text), (keys, go, self) => (later(keys, go), Promise.resolve(self)));
    guard(prototype, "addRule", (_selector, _self, [, style]) => textVerdict(style), answerLater(-1));
  }
}

export function guardNetwork(realm: Realm): void {
  guardRequests(realm);
  guardXhr(realm);
  guardBlobs(realm);
  guardSheets(realm);
}
