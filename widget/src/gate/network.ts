/** Whatever sends without an element: the call waits, or gets a harmless answer. */
import { guard, hook, type Realm } from "./builtins";
import { standIn } from "./later";
import { holdDeclarations } from "./styles";
import { blobs, codeVerdict, originOf, sheetVerdict, textVerdict, verdict, verdictOfAny } from "./verdict";
import { answerLater, later, promiseLater, wait } from "./waiting";

/** A worker's own file is read before it starts: what is in it is out of our reach. */
function workerVerdict(address: unknown): string[] | undefined {
  const keys = verdict(address, codeVerdict);
  // Of another origin the browser itself refuses it; what a blob or a data address holds is judged.
  if (keys || originOf(address) !== location.origin || /^blob:/.test(address as string)) return keys;
  const request = new XMLHttpRequest();
  request.open("GET", address as string, false);
  request.send();
  return codeVerdict(request.responseText);
}

export function guardRequests(realm: Realm): void {
  const ofAddress = (address: unknown) => verdict(address);
  guard(realm, "fetch", ofAddress, promiseLater);
  guard(realm, "fetchLater", ofAddress, answerLater({ activated: false }));
  guard(realm.Navigator, "sendBeacon", ofAddress, answerLater(true));
  guard(realm.ServiceWorkerContainer, "register", workerVerdict, promiseLater);
  guard(realm.Worklet, "addModule", ofAddress, promiseLater);
  guard(realm, "WebSocket EventSource WebTransport WebSocketStream", ofAddress, standIn);
  guard(realm, "Worker SharedWorker", workerVerdict, standIn);
  guard(realm.Worker, "postMessage", (message) => typeof message === "string" && textVerdict(message), wait);
  guard(realm.Cache, "add addAll put", verdictOfAny, promiseLater);
  guard(
    realm,
    "FontFace",
    (_family, _self, [, source]) => sheetVerdict(source),
    (keys, go, _self, [family]) => {
      const { fonts } = realm.document as Document;
      const mock = new realm.FontFace(family, "local('-')") as FontFace; // of no source: the real one replaces it where it is used
      later(keys, () => {
        const font = go() as FontFace;
        if (fonts.delete(mock)) fonts.add(font);
        void font.load();
      });
      return mock;
    },
  );
  guard(realm, "Audio", ofAddress, (_keys, _go, _self, [src]) => Object.assign(new realm.Audio(), { src }));
}

export function guardXhr(realm: Realm): void {
  const opened = new WeakMap<object, unknown[]>();
  hook(realm.XMLHttpRequest, "open abort", (go, self, args) => (opened.set(self, args), go())); // given up, it has none
  guard(
    realm.XMLHttpRequest,
    "send",
    (_body, self) => verdict(opened.get(self)?.[1]),
    (keys, go, self: XMLHttpRequest) => {
      const args = opened.get(self);
      const fail = () => {
        for (const type of ["error", "loadend"]) self.dispatchEvent(new ProgressEvent(type));
      };
      if (args?.[2] ?? true) later(keys, () => opened.get(self) === args && go(), fail);
    },
  );
}

/** What blobs are made of, so that their addresses can be judged. */
export function guardBlobs(realm: Realm): void {
  const texts = new WeakMap<object, string>();
  hook(realm, "Blob File", (go, _self, [parts]) => {
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

export function guardSheets(realm: Realm): void {
  // What is shown meanwhile is nothing, for as long.
  guard(realm.Element, "animate", (frames) => textVerdict(JSON.stringify(frames)), (keys, go, self, [, options]) => (later(keys, go), (self as Element).animate([], options as number)));
  for (const name of Object.getOwnPropertyNames(realm))
    if (/^CSS.*(Rule|Sheet)$/.test(name)) {
      const owner = realm[name];
      guard(owner, "insertRule appendRule addRule replaceSync", (_text, _self, texts) => sheetVerdict(texts), answerLater(0));
      guard(owner, "replace", sheetVerdict, async (keys, go, self) => (later(keys, go), self));
      // What a rule declares is loaded when styles are next worked out, which is after this task.
      hook(owner, "style", (go) => {
        const style = go() as CSSStyleDeclaration;
        queueMicrotask(() => holdDeclarations(style));
        return style;
      });
    }
}
