/** What is wrong with the page itself: the tag, its place, mark-up that nothing can release, policies, cookies. */
import { foreignMarkup, findManagers } from "./managers";
import { canReachServer, listRefusals, type Refusal } from "./policy";
import { page, type Core, type Finding, type Severity } from "./report";
import { findTags, listTagFindings } from "./tag";
import { fill } from "./texts";
import { addressesOf, bare, findAll, isLoose, pathOf } from "./tree";

export type Found = [check: string, severity: Severity, details?: string[], values?: Record<string, string>];

/** Browsers keep the first 250 requests. */
const remembered = 250;
/** How long a decision may be on its way. */
const usual = 3000; // ms

/** How many letters must be changed, added or left out to make one word of the other (Levenshtein). */
function distance(one: string, other: string): number {
  let row = [...Array(other.length + 1).keys()];
  for (const letter of one) {
    const next = [(row[0] as number) + 1];
    for (let at = 0; at < other.length; at++) next.push(Math.min((row[at] as number) + (letter === other[at] ? 0 : 1), (row[at + 1] as number) + 1, (next[at] as number) + 1));
    row = next;
  }
  return row[other.length] as number;
}

function unknownKeys({ config }: Core): string[] {
  const known = config.categories.flat();
  const wrong = new Map<string, string>();
  for (const element of findAll("[data-consent]"))
    for (const term of (element.getAttribute("data-consent") ?? "").split(/[\s&|]+/)) {
      const key = term.replace(/^!|service:/g, "");
      if (!key || known.includes(key)) continue;
      const near = known.find((one) => distance(key, one) < 3);
      wrong.set(key, `${key}${near ? ` (${near}?)` : ""}: ${pathOf(element)}`);
    }
  return [...wrong.values()];
}

/** Elements that carry `data-consent` and load all the same. */
function heldTooLate({ isAllowed }: Core): Element[] {
  return findAll("[data-consent]").filter((element) => !isAllowed(element) && isLoose(element));
}

/** Firefox reads ahead inside templates. */
function openTemplates(): Element[] {
  return findAll<HTMLTemplateElement>("template[data-consent]").filter(({ content }) =>
    [...content.querySelectorAll("[src],[srcset],[poster],link[href]")].some((one) => addressesOf(one).length),
  );
}

function listMarkupFindings(core: Core): Found[] {
  const { products = [] } = core.config.compat ?? {};
  const unknown = unknownKeys(core);
  const late = heldTooLate(core).map(pathOf);
  const open = openTemplates().map(pathOf);
  const [own] = findTags();
  const nonceless = own?.nonce ? findAll<HTMLScriptElement>('script[type="text/plain"][data-consent]').filter((script) => script.nonce !== own.nonce && !core.isGated(script)) : [];
  return [
    ...(unknown.length ? [["unknown_keys", "error", unknown] as Found] : []),
    ...(late.length ? [["held_too_late", "error", late] as Found] : []),
    ...(open.length ? [["open_template", "warning", open] as Found] : []),
    ...(nonceless.length ? [["nonce_missing", "error", nonceless.map(pathOf)] as Found] : []),
    ...foreignMarkup(products).map(([product, elements]): Found => ["foreign_markup", "warning", elements.map(pathOf), { product }]),
  ];
}

function areCookiesBlocked({ config }: Core): boolean {
  try {
    const isKept = document.cookie.includes(`consent_${config.site}=`);
    return !navigator.cookieEnabled || (page.consent.decided && !isKept);
  } catch {
    return true;
  }
}

/** A decision that was only just made is on its way. */
function isUnsent({ config }: Core): boolean {
  try {
    const waiting = JSON.parse(localStorage.getItem(`consent_${config.site}_outbox`) ?? "[]") as { decided_at: string }[];
    return waiting.some(({ decided_at }) => Date.now() - Date.parse(decided_at) > usual);
  } catch {
    return false;
  }
}

async function listServerFindings(): Promise<Found[]> {
  const server = new URL(import.meta.url).origin;
  const isReached = await canReachServer();
  const isOurCall = ({ directive, address }: Refusal) => directive === "connect-src" && address.startsWith(server);
  const isPolicy = listRefusals().some(isOurCall);
  const rest = listRefusals().filter((one) => !isOurCall(one));
  const others = rest.map(({ directive, address }) => `${directive}: ${/^\w+:\/\//.test(address) ? bare(address) : address}`);
  const isOurs = location.origin === server || FACTS.origins.includes(location.origin);
  return [
    ...(isReached ? [] : [[isPolicy ? "csp_connect" : "server_away", "error", [], { server }] as Found]),
    ...(others.length ? [["csp_blocked", "warning", others] as Found] : []),
    ...(isOurs ? [] : [["origin_unknown", "error", [], { origin: location.origin }] as Found]),
  ];
}

function listVisitFindings(core: Core): Found[] {
  const { config } = core;
  const managers = findManagers();
  const { hostname, protocol } = location;
  const isLocal = /^(localhost|127\.|\[::1\]|.*\.localhost$)/.test(hostname);
  const isOutside = config.domain && hostname !== config.domain && !hostname.endsWith("." + config.domain);
  const granted = Object.values(core.current?.grants ?? {}).includes(true);
  return [
    ...(managers.length ? [["other_manager", "warning", managers] as Found] : []),
    ...(isOutside ? [["cookie_domain", "error", [], { domain: config.domain }] as Found] : []),
    ...(areCookiesBlocked(core) ? [["cookies_blocked", "error"] as Found] : []),
    ...(isUnsent(core) ? [["unsent", "warning"] as Found] : []),
    ...(protocol === "http:" && !isLocal ? [["plain_http", "warning"] as Found] : []),
    ...(config.script !== FACTS.script ? [["old_script", "advice", [], { version: `${config.version}`, published: `${FACTS.version}` }] as Found] : []),
    ...(granted ? [["some_granted", "advice"] as Found] : []),
    ...(performance.getEntriesByType("resource").length >= remembered ? [["list_full", "advice", [], { number: `${remembered}` }] as Found] : []),
  ];
}

const order: Severity[] = ["error", "warning", "advice"];

/** Worst first. */
export async function runChecks(core: Core, level: string): Promise<Finding[]> {
  const found = [...listTagFindings(level), ...listMarkupFindings(core), ...(await listServerFindings()), ...listVisitFindings(core)];
  const findings = found.map(([check, severity, details = [], values = {}]) => ({ check, severity, text: fill("check_" + check, values), details }));
  return findings.sort((one, other) => order.indexOf(one.severity) - order.indexOf(other.severity));
}
