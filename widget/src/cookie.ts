/** The decision cookie: `1.<version>.<unix seconds, base 36>.<subject>.<key~!refused~...>`, and `.<signal>` where the browser sent one. Its last keys may be marks: unasked.ts. */
import { asksNothing, config } from "./config";
import { own } from "./element";
import type { Signal } from "./signals";
import { emptyGrants, type Decision } from "./state";

const name = `consent_${config.site}=`;
const lifetime = config.days * 86400; // seconds

/** Unix seconds. */
export const timeOf = ({ decided_at }: Decision) => Math.floor(Date.parse(decided_at) / 1000);

function parseDecision(value: string): Decision | undefined {
  const found = /^1\.(\d+)\.([0-9a-z]{1,7})\.([0-9a-f]{32})\.([0-9a-z!~-]*)\.?(|gpc|dnt)$/.exec(value);
  if (!found) return undefined;
  const [, version, time, subject_id, keys, signal] = found as unknown as [string, string, string, string, string, Signal];
  const grants = emptyGrants();
  for (const key of keys.split("~")) if (key) grants[key.replace("!", "")] = key[0] !== "!";
  return { version: +version, subject_id, decided_at: new Date(parseInt(time, 36) * 1000).toISOString(), grants, signal };
}

/** Two decisions that read the same are the same one. */
export function formatDecision(decision: Decision): string {
  const { version, subject_id, grants, signal } = decision;
  const keys = Object.keys(grants).map((key) => (grants[key] ? key : "!" + key));
  return [1, version, timeOf(decision).toString(36), subject_id, keys.join("~")].join(".") + (signal ? "." + signal : "");
}

/** Names and values of the cookies that this page can see; none where cookies are forbidden (sandboxed frames). */
export function visibleCookies(): string[] {
  try {
    return own("cookie").split("; ");
  } catch {
    return [];
  }
}

/** The newest valid decision: a changed cookie domain can leave two cookies of our name. */
export function readDecision(): Decision | undefined {
  let newest: Decision | undefined;
  for (const pair of asksNothing() ? [] : visibleCookies()) {
    const decision = pair.startsWith(name) ? parseDecision(pair.slice(name.length)) : undefined;
    if (decision && timeOf(decision) > (newest ? timeOf(newest) : Date.now() / 1000 - lifetime)) newest = decision;
  }
  return newest;
}

/** Also removes: with an age that has passed, on the domain and path given. */
export function writeCookie(pair: string, age: number, path: string, domain?: string): void {
  Reflect.set(Document.prototype, "cookie", `${pair};max-age=${age};path=${path};samesite=lax` + (domain ? ";domain=" + domain : "") + (location.protocol[4] === "s" ? ";secure" : ""), document);
}

export function writeDecision(decision: Decision): void {
  try {
    writeCookie(name + formatDecision(decision), (lifetime + timeOf(decision) - Date.now() / 1000) | 0, "/", config.domain);
  } catch {
    // the choice holds for this page, and the next one asks again
  }
}
