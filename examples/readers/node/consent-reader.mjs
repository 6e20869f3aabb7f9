/**
 * What a visitor allowed, read by the site's own server from the `Cookie` header.
 *
 * One file without dependencies (Node 18 or newer, `import` or, from 20.19, `require`): copy it into
 * your project. It fails closed: what is missing, odd, too old or about an earlier question allows nothing.
 *
 *     const grants = read(request.headers.cookie, "example");
 *     if (grants["google-analytics"]) ...
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const value = /^1\.([1-9][0-9]{0,8})\.([0-9a-z]{1,8})\.([0-9a-f]{32})\.([a-z0-9!~-]+)(?:\.(?:gpc|dnt))?$/;
const word = /^!?[a-z0-9][a-z0-9-]{0,39}$/;
const mostKeys = 400;
const day = 86400;
/** A webhook older or newer than this was kept back by somebody. */
const tolerance = 300;

/** Without a prototype: `constructor` is nobody's grant. */
const nothing = () => Object.create(null);
const unixNow = () => Date.now() / 1000;

/**
 * Category or service -> whether it is allowed; empty where nothing is.
 *
 * `validDays` is that of the site file, `since` the version since which visitors must have been asked
 * (`material_since` of the newest version).
 */
export function read(cookieHeader, site, options = {}) {
  return readDecision(cookieHeader, site, options)?.grants ?? nothing();
}

/** `{ version, decidedAt, subjectId, grants }` (decidedAt in Unix seconds) of the decision that holds, or null. */
export function readDecision(cookieHeader, site, { now = unixNow(), validDays = 180, since = 1 } = {}) {
  let newest = null;
  for (const pair of String(cookieHeader ?? "").split(";")) {
    const [name, ...rest] = trim(pair).split("=");
    const decision = name === `consent_${site}` ? parse(rest.join("=")) : null;
    if (decision && (!newest || decision.decidedAt > newest.decidedAt)) newest = decision;
  }
  if (!newest || newest.version < since) return null;
  // A clock may be wrong, but not by a day.
  const holds = newest.decidedAt - day <= now && now < newest.decidedAt + validDays * day;
  return holds ? newest : null;
}

/** The visitor as webhooks name them: SHA-256 of the subject id, in hex. */
export function subjectOf(subjectId) {
  return createHash("sha256").update(subjectId).digest("hex");
}

/**
 * Whether a webhook comes from your consent server, and now. `secret` is what `consent-server webhook set`
 * printed; `headers` have lower-case names, as Node gives them; `body` is the bytes or the text as they came.
 */
export function verifyWebhook(secret, headers, body, { now = unixNow() } = {}) {
  const sentAt = headers["webhook-timestamp"] ?? "";
  if (!/^[0-9]{1,12}$/.test(sentAt) || Math.abs(now - sentAt) > tolerance) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  if (!key.length) return false;
  const mac = createHmac("sha256", key).update(`${headers["webhook-id"]}.${sentAt}.`).update(body);
  const expected = Buffer.from("v1," + mac.digest("base64"));
  const given = (headers["webhook-signature"] ?? "").split(" ").map((one) => Buffer.from(one));
  return given.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
}

/**
 * The signature for `consent.identify()`: that `ref` is signed in, until `expires` (Unix seconds, at most an
 * hour ahead). `secret` is what `consent-server site identify-secret` printed.
 */
export function signRef(secret, site, ref, expires) {
  return createHmac("sha256", secret).update(`${site}\n${expires}\n${ref}`).digest("hex");
}

/** Blanks and tabs only, as cookies have them: String.trim() would take more away. */
function trim(text) {
  let [start, end] = [0, text.length];
  while (" \t".includes(text[start] ?? "x")) start++;
  while (end > start && " \t".includes(text[end - 1])) end--;
  return text.slice(start, end);
}

function parse(text) {
  const found = value.exec(text);
  if (!found) return null;
  const [, version, seconds, subjectId, words] = found;
  const keys = words.split("~");
  if (keys.length > mostKeys || !keys.every((key) => word.test(key))) return null;
  const grants = nothing();
  for (const key of keys) grants[key.replace("!", "")] = key[0] !== "!";
  if (Object.keys(grants).length !== keys.length) return null; // one key that says two things
  return { version: +version, decidedAt: parseInt(seconds, 36), subjectId, grants };
}
