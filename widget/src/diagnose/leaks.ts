/** What left or was stored although nobody granted it, and what to write so that it waits. */
import { heldAddress } from "./held";
import { markupFor, siteFileFor } from "./markup";
import { coversHost, isGranted, isLeak, matchAddress, matchText, serviceOf, type Match } from "./match";
import type { Core, Fix, Leak, Report } from "./report";
import { addressesOf, bare, findAll, isCode, pathOf } from "./tree";

const base = new URL(".", import.meta.url);

/** Elements that can load something, and those that browsers read ahead of any script. */
const able = "script,iframe,frame,img,link,video,audio,source,track,embed,object,input[type=image],image,use,noscript,style";

interface Tracker {
  element: Element;
  match: Match;
}

const isOwnHost = (host: string, { config }: Core) =>
  host === location.hostname ||
  host === base.hostname ||
  (!!config.domain && (host === config.domain || host.endsWith("." + config.domain))) ||
  FACTS.origins.some((origin) => new URL(origin).hostname === host) ||
  FACTS.allowed_hosts.some((pattern) => coversHost(pattern, host));

function matchElement(element: Element, level: string): Match | undefined {
  for (const address of addressesOf(element)) {
    const match = matchAddress(address);
    if (match && isLeak(match)) return match;
  }
  // The gate holds what inline code loads, not the code.
  const isText = element.localName === "noscript" || element.localName === "style" || (level === "declared" && isCode(element) && !element.hasAttribute("src"));
  const match = isText ? matchText(element.textContent ?? "") : undefined;
  return match && isLeak(match) ? match : undefined;
}

/** Elements that load for a service which nobody granted. */
function findTrackers({ isAllowed }: Core, level: string): Tracker[] {
  return findAll(able).flatMap((element) => {
    if (element.closest("[data-consent]") && !isAllowed(element.closest("[data-consent]") as Element) && !addressesOf(element).length) return [];
    if (element instanceof HTMLScriptElement && !isCode(element)) return [];
    const match = matchElement(element, level);
    return match ? [{ element, match }] : [];
  });
}

const describe = ({ services, pattern }: Match) => ({ services, pattern, in_site: services.some((key) => serviceOf(key).in_site) });

function kindOf({ localName }: Element): Leak["kind"] {
  return localName === "noscript" ? "noscript" : "element";
}

interface Requests {
  leaked: Leak[];
  released: Record<string, number>;
  unknown: Map<string, number>;
}

/** All that the browser remembers to have asked for. */
function readRequests(core: Core, trackers: Tracker[]): Requests {
  const requests: Requests = { leaked: [], released: {}, unknown: new Map() };
  const decidedAt = core.current ? Date.parse(core.current.decided_at) : 0;
  for (const { name, startTime } of performance.getEntriesByType("resource")) {
    const match = matchAddress(name);
    const { hostname, protocol } = new URL(name, document.baseURI);
    if (!match) {
      if (/^http/.test(protocol) && !isOwnHost(hostname, core)) requests.unknown.set(hostname, (requests.unknown.get(hostname) ?? 0) + 1);
      continue;
    }
    const granted = match.services.find(isGranted);
    if (granted !== undefined) {
      requests.released[granted] = (requests.released[granted] ?? 0) + 1;
      continue;
    }
    if (requests.leaked.some((one) => one.name === bare(name))) continue;
    const tracker = trackers.find(({ element }) => addressesOf(element).some((one) => new URL(one, document.baseURI).href === name));
    requests.leaked.push({
      kind: "request",
      name: bare(name),
      ...describe(match),
      ...(decidedAt && performance.timeOrigin + startTime < decidedAt ? { before_decision: true } : {}),
      ...(tracker && { element: pathOf(tracker.element) }),
    });
  }
  return requests;
}

function fixFor(service: string, { config }: Core, element?: Element): Fix {
  const site_file = siteFileFor(service, config.categories.map(([category]) => category));
  return { service, ...(element && { element: pathOf(element), markup: markupFor(element, service) }), ...(site_file !== undefined && { site_file }) };
}

export function readLeaks(core: Core, level: string, stored: Leak[]): Pick<Report, "leaked" | "to_mark" | "released_requests" | "unknown_hosts"> {
  const trackers = findTrackers(core, level);
  const { leaked, released, unknown } = readRequests(core, trackers);
  for (const { element, match } of trackers) {
    const path = pathOf(element);
    const [address] = addressesOf(element);
    if (!leaked.some((one) => one.element === path)) leaked.push({ kind: kindOf(element), name: address === undefined ? match.pattern : bare(address), ...describe(match), element: path });
  }
  leaked.push(...stored);
  // Held by the gate, but the browser had asked ahead: only mark-up keeps the request from leaving.
  const gated = findAll("[data-consent]").filter(core.isGated);
  for (const leak of leaked) {
    const element = leak.element === undefined && gated.find((one) => bare(heldAddress(one) ?? "") === leak.name);
    if (!element) continue;
    leak.element = pathOf(element);
    trackers.push({ element, match: leak });
  }
  const marked = trackers.map(({ element, match }) => fixFor(match.services[0] as string, core, element));
  // Asked for by code that is no element any more, or never was one; what is only stored may be of an earlier visit.
  const hidden = leaked.filter(({ element, kind, in_site }) => !element && (kind === "request" || !in_site)).map(({ services }) => services[0] as string);
  const others = [...new Set(hidden)].filter((key) => !marked.some(({ service }) => service === key)).map((key) => fixFor(key, core));
  const unknown_hosts = [...unknown].map(([host, requests]) => ({ host, requests }));
  return { leaked, to_mark: [...marked, ...others], released_requests: released, unknown_hosts };
}
