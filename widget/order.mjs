// Looks for an order of the arrows and for names with which the cores are smaller, and writes them down: npm run order [SECONDS for each].
import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import { join } from "node:path";
import { bracketParts, compile, declared, definitionsOf, here, minifyCss, print, rename, shortNames, withoutParts } from "./compile.mjs";

const file = join(here, "order.json");
/** So many bytes more are taken at first: the shortest way down ends in the nearest hollow. */
const WARMTH = 1.5;
const seconds = Number(process.argv[2] ?? 300);
const brotli = (text) => brotliCompressSync(Buffer.from(text), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
/** What stands behind a core in the script that is served: the form with the most styles. */
const styles = minifyCss("widget") + minifyCss("forms/bar");

/** A core as texts in which `$$n$$` stands for its nth name, and its arrows by their names in the sources. */
async function take(GATE, known) {
  const define = { GATE: String(GATE), STRICT: "false", COMPAT: "false", REGIMES: "false", NEWS: "false", ANNOUNCED: "false" };
  const core = await compile("src/main.ts", define, { mangle: false });
  rename(core, known);
  const short = declared(core).map((one) => one.mangled_name);
  for (const [number, one] of declared(core).entries()) one.mangled_name = `$$${number}$$`;
  const { names, arrows, rest } = definitionsOf(core);
  return {
    long: declared(core).map(({ name }) => name),
    short,
    names: names.map(print),
    arrows: new Map(arrows.map((one) => [one.name.name, print(one)])),
    rest: rest.map(print),
    tail: withoutParts(bracketParts(core.body.slice(1).map(print).join(";"))), // as a site without parts gets it
  };
}

function size({ names, arrows, rest, tail }, { order, short }) {
  const text = "var " + [...names, ...order.flatMap((name) => arrows.get(name) ?? []), ...rest].join(",") + ";" + tail;
  return brotli(text.replace(/\$\$(\d+)\$\$/g, (_whole, number) => short[number]) + styles);
}

/** The same numbers in each run, so that a run can be repeated (mulberry32). */
let state = 1;
function below(limit) {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
}

/** The order with one arrow, or some neighbours, in another place. */
function moved(order) {
  const other = [...order];
  const some = other.splice(below(other.length), below(3) ? 1 : 2 + below(6));
  other.splice(below(other.length + 1), 0, ...some);
  return other;
}

/** The names with one exchanged: for that of another, or for one that nobody has. */
function renamed(short) {
  const other = [...short];
  const one = below(short.length);
  const name = below(3) ? short[below(short.length)] : shortNames[below(shortNames.length)];
  const whose = short.indexOf(name);
  if (whose >= 0) other[whose] = short[one];
  other[one] = name;
  return other;
}

const known = JSON.parse(readFileSync(file, "utf8"));
for (const kind of ["core", "gate"]) {
  const core = await take(kind === "gate", known[kind].names);
  const names = [...core.arrows.keys()];
  // As the build has it: what the order does not name stands first.
  const order = [...names.filter((name) => !known[kind].arrows.includes(name)), ...known[kind].arrows.filter((name) => names.includes(name))];
  let now = { order, short: core.short };
  let bytes = size(core, now);
  const before = bytes;
  let [best, least] = [now, bytes];
  const begun = Date.now();
  for (let part = 0; part < 1; part = (Date.now() - begun) / 1000 / seconds) {
    const tried = below(2) ? { ...now, order: moved(now.order) } : { ...now, short: renamed(now.short) };
    const found = size(core, tried);
    if (found <= bytes + (below(1000) / 1000) * WARMTH * (1 - part)) [now, bytes] = [tried, found];
    if (found < least) [best, least] = [tried, found];
  }
  console.log(`${kind}: ${before} bytes, now ${least}`);
  known[kind] = { arrows: best.order, names: Object.fromEntries(core.long.map((name, number) => [name, best.short[number]])) };
  writeFileSync(file, JSON.stringify(known, null, 2) + "\n");
}
console.log("now: npm run build");
