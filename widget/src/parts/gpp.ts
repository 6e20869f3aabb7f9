/**
 * The page's `__gpp` (Global Privacy Platform, CMP API 1.1): it answers each call at once. What the sections say is
 * fetched with the first of them; until then the signal is not ready.
 */
import type { Said } from "../gpp";
import type { Kit } from "../kit";

declare const kit: Kit;

type Callback = (data: unknown, success: boolean) => void;

/** What others may have put there before us, to keep calls until a manager comes. */
interface Stub {
  (command?: unknown, callback?: unknown, parameter?: unknown): unknown;
  queue?: [unknown?, unknown?, unknown?][];
  events?: { id: number; callback: Callback }[];
}

const page = window as { __gpp?: Stub };
const states = "ca va co ut ct fl mt or tx de ia ne nh nj tn mn md in ky ri";

const ping = {
  gppVersion: "1.1",
  cmpStatus: "loading",
  cmpDisplayStatus: null, // no layer that keeps visitors from the page
  signalStatus: "not ready",
  supportedAPIs: states.split(" ").map((state, index) => `${8 + index}:us${state}`),
  cmpId: 1, // for those who are not registered
  sectionList: [] as number[],
  applicableSections: [0], // not known yet; -1 would be "none"
  gppString: "",
  parsedSections: {} as Said["parsedSections"],
};

const listeners = new Map<unknown, Callback>();
let lastId = 0;
let read: typeof import("../gpp").read | undefined;
let isKnown = false;
let isAsked = false;

/** What fails in one vendor's code must not keep the others. */
function answer(callback: unknown, data: unknown, success = true): void {
  if (typeof callback !== "function") return;
  try {
    (callback as Callback)(data, success);
  } catch (error) {
    console.error(error);
  }
}

function tell(listenerId: unknown, eventName: string, data: unknown): void {
  answer(listeners.get(listenerId), { eventName, listenerId, data, pingData: { ...ping } });
}

function tellAll(eventName: string, data: unknown): void {
  for (const id of [...listeners.keys()]) tell(id, eventName, data);
}

function set(name: "cmpStatus" | "signalStatus", value: string): void {
  ping[name] = value;
  tellAll(name, value);
}

/** The section with this name, where it is there. */
const sectionNamed = (name: unknown) => Object.entries(ping.parsedSections).find(([known]) => known === name)?.[1];

function fieldNamed(name: unknown): unknown {
  const [section, field] = String(name).split(".");
  return sectionNamed(section)?.flatMap(Object.entries).find(([known]) => known === field)?.[1];
}

/** "Whenever the CMP starts to change": not ready, what changed, ready again. */
function follow(): void {
  if (!read || !isKnown) return;
  const said = read(kit.config, kit.grants());
  const hadSaid = ping.gppString;
  if (said.gppString === hadSaid) return;
  if (hadSaid) set("signalStatus", "not ready");
  Object.assign(ping, read(kit.config, kit.grants())); // again: who listened may have decided meanwhile
  if (hadSaid) Object.keys(said.parsedSections).forEach((name) => tellAll("sectionChange", name));
  set("signalStatus", "ready");
}

function fetchSections(): void {
  if (isAsked) return;
  isAsked = true;
  import(kit.base + "/gpp.js").then(
    (its) => {
      ({ read } = its);
      set("cmpStatus", "loaded");
      follow();
    },
    () => {
      isAsked = false; // the next call tries again
      set("cmpStatus", "error");
    },
  );
}

function gpp(command?: unknown, callback?: unknown, parameter?: unknown): void {
  fetchSections();
  if (command === "ping") answer(callback, { ...ping });
  else if (command === "addEventListener") {
    listeners.set(++lastId, callback as Callback);
    tell(lastId, "listenerRegistered", true);
  } else if (command === "removeEventListener") answer(callback, listeners.delete(parameter));
  else if (command === "hasSection") answer(callback, read ? !!sectionNamed(parameter) : null);
  else if (command === "getSection") answer(callback, sectionNamed(parameter) ?? null);
  else if (command === "getField") answer(callback, fieldNamed(parameter) ?? null);
  else answer(callback, null, false);
}

interface Call {
  __gppCall?: { command: unknown; parameter?: unknown; callId: unknown };
}

/** From frames, of any origin: they find the page by a frame of a certain name in it. */
function hear({ data, source }: MessageEvent): void {
  let call: Call["__gppCall"];
  try {
    call = ((typeof data === "string" ? JSON.parse(data) : data) as Call | null)?.__gppCall;
  } catch {
    return; // somebody else's message
  }
  if (!call) return;
  const { command, parameter, callId } = call;
  const reply = (returnValue: unknown, success: boolean) => {
    const said = { __gppReturn: { returnValue, success, callId } };
    (source as Window | null)?.postMessage(typeof data === "string" ? JSON.stringify(said) : said, "*");
  };
  gpp(command, reply, parameter);
}

function open(): void {
  addEventListener("message", hear);
  const locator = document.createElement("iframe");
  locator.name = "__gppLocator";
  locator.hidden = true;
  (document.body ?? document.documentElement).append(locator);
}

kit.followers.push(() => {
  isKnown = true; // before the first time a decision may be there that was not read yet
  follow();
});

const stub = page.__gpp;
page.__gpp = gpp;
// A stub listens to frames already; what it kept comes first, in its order.
if (stub) {
  for (const { id, callback } of stub.events ?? (stub("events") as Stub["events"]) ?? []) {
    listeners.set(id, callback);
    if (id > lastId) lastId = id;
    fetchSections();
  }
  for (const call of stub.queue ?? (stub() as Stub["queue"]) ?? []) gpp(...call);
} else open();
