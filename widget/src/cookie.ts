/** The decision cookie: `1.<version>.<unix seconds, base 36>.<subject>.<key~!refused~...>`. */
import { config } from "./config";
import type { Decision, Grants } from "./state";

const name = "consent_" + config.site;
const form = /^1\.(\d+)\.([0-9a-z]+)\.([\w-]{22})\.([a-z0-9!~-]*)$/;

function parseDecision(value: string): Decision | undefined {
  const parts = form.exec(value);
  if (!parts) return undefined;
  const [, version = "", time = "", subject = "", keys = ""] = parts;
  const grants: Grants = {};
  for (const key of keys.split("~")) grants[key.replace("!", "")] = key[0] !== "!";
  return { version: +version, time: parseInt(time, 36), subject, grants };
}

export function formatDecision({ version, time, subject, grants }: Decision): string {
  const keys = Object.keys(grants).map((key) => (grants[key] ? key : "!" + key));
  return ["1", version, time.toString(36), subject, keys.join("~")].join(".");
}

/** The newest valid decision: a changed cookie domain can leave two cookies of our name. */
export function readDecision(): Decision | undefined {
  let newest: Decision | undefined;
  try {
    for (const pair of document.cookie.split("; ")) {
      const decision = pair.startsWith(name + "=") ? parseDecision(pair.slice(name.length + 1)) : undefined;
      if (decision && !(newest && newest.time >= decision.time)) newest = decision;
    }
  } catch {
    return undefined; // cookies are forbidden in sandboxed frames
  }
  return newest && newest.time + config.days * 86400 > Date.now() / 1000 ? newest : undefined;
}

export function writeDecision(decision: Decision): void {
  const age = decision.time + config.days * 86400 - Math.floor(Date.now() / 1000);
  document.cookie =
    `${name}=${formatDecision(decision)};path=/;samesite=lax;max-age=${age}` +
    (config.domain && ";domain=" + config.domain) +
    (location.protocol === "https:" ? ";secure" : "");
}
