// Looks for an order of the arrows in which the cores are smaller, and writes it down: npm run order [SECONDS for each].
import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import { join } from "node:path";
import { compile, definitionsOf, here, print } from "./compile.mjs";

const file = join(here, "order.json");
/** So many bytes more are taken at first: the shortest way down ends in the nearest hollow. */
const WARMTH = 5;
const seconds = Number(process.argv[2] ?? 300);
const brotli = (text) => brotliCompressSync(Buffer.from(text), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;

/** A core as texts, and its arrows by their names in the sources. */
async function take(GATE) {
  const define = { GATE: String(GATE), COMPAT: "false", REGIMES: "false", NEWS: "false", ANNOUNCED: "false" };
  const core = await compile("src/main.ts", define);
  const { names, arrows, rest } = definitionsOf(core);
  return {
    names: names.map(print),
    arrows: new Map(arrows.map((one) => [one.name.name, print(one)])),
    rest: rest.map(print),
    tail: core.body.slice(1).map(print).join(";"),
  };
}

const size = ({ names, arrows, rest, tail }, order) =>
  brotli("var " + [...names, ...order.flatMap((name) => arrows.get(name) ?? []), ...rest].join(",") + ";" + tail);

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

const known = JSON.parse(readFileSync(file, "utf8"));
for (const kind of ["core", "gate"]) {
  const core = await take(kind === "gate");
  const names = [...core.arrows.keys()];
  // As the build has it: what the order does not name stands first.
  let best = [...names.filter((name) => !known[kind].includes(name)), ...known[kind].filter((name) => names.includes(name))];
  let least = size(core, best);
  const before = least;
  let [order, bytes] = [best, least];
  const begun = Date.now();
  for (let part = 0; part < 1; part = (Date.now() - begun) / 1000 / seconds) {
    const tried = moved(order);
    const found = size(core, tried);
    if (found <= bytes + (below(1000) / 1000) * WARMTH * (1 - part)) [order, bytes] = [tried, found];
    if (found < least) [best, least] = [tried, found];
  }
  console.log(`${kind}: ${before} bytes, now ${least}`);
  known[kind] = best;
  writeFileSync(file, JSON.stringify(known, null, 2) + "\n");
}
console.log("now: npm run build");
