// Builds the cores under static/widget, each the body of `(function(SITE_CONFIG){core})(config);`, the parts that the
// server puts into them where a site needs some, and their manifest.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import { join } from "node:path";
import { arrange, bracketParts, compile, here, minifyCss, print, rename, withoutParts } from "./compile.mjs";

const out = process.argv[2] ?? join(here, "../static/widget");
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

const order = JSON.parse(readFileSync(join(here, "order.json"), "utf8"));

async function buildCore(define) {
  const core = await compile("src/main.ts", define, { mangle: false });
  const { arrows, names } = order[define.GATE === "true" ? "gate" : "core"];
  arrange(core, arrows);
  rename(core, names);
  return Buffer.from(bracketParts(print(core).trim().replace(/;$/, ""))); // all of it travels
}

const build = async (entry, define, options) => Buffer.from(print(await compile(entry, define, options)).trim() + "\n");

const cores = {};
// One for each set of parts that a site may ask for: what it does not ask for does not travel.
for (const gate of ["", "-gate", "-gate-strict"])
  for (const COMPAT of [false, true])
    for (const REGIMES of [false, true])
      for (const news of ["", "-news", "-news-announced"])
        cores["core" + gate + (COMPAT ? "-compat" : "") + (REGIMES ? "-regimes" : "") + news + ".js"] = await buildCore({
          GATE: String(!!gate),
          STRICT: String(gate.endsWith("strict")),
          COMPAT: String(COMPAT),
          REGIMES: String(REGIMES),
          NEWS: String(!!news),
          ANNOUNCED: String(news.endsWith("announced")),
        });
// Each a function of the kit: src/kit.ts says what that is. Of connectors, one for each set of calls that a site may have.
const asked = ({ METHODS, WAITS, STOPS }) => (METHODS ? "-methods" : "") + (WAITS ? "-waits" : "") + (STOPS ? "-stops" : "");
const parts = {};
for (const file of readdirSync(join(here, "src/parts"))) {
  const choice = file === "connectors.ts" ? [false, true] : [false];
  for (const METHODS of choice)
    for (const WAITS of choice)
      for (const STOPS of choice) {
        const define = Object.fromEntries(Object.entries({ METHODS, WAITS, STOPS }).map(([name, value]) => [name, String(value)]));
        const made = String(await build("src/parts/" + file, define, { wrap: (bundle) => `export default (kit) => {${bundle}}` }));
        const name = "part-" + file.replace(".ts", asked({ METHODS, WAITS, STOPS }) + ".js");
        parts[name] = Buffer.from(made.replace(/^export default|;?\s*$/g, "").trim() + "\n");
      }
}
// Modules, which are imported when they are asked for: by owners, by vendors' code.
const PANEL_CSS = JSON.stringify(minifyCss("diagnose/panel"));
const modules = {
  "diagnose.js": await build("src/diagnose/index.ts", { PANEL_CSS }),
  "gpp.js": await build("src/gpp/index.ts", {}),
};
// The styles of each form of the notice, complete: the server takes the one that the owner chose.
const forms = Object.fromEntries(["banner", "bar", "box", "centred"].map((form) => [form, minifyCss("widget") + minifyCss("forms/" + form)]));
forms.announcement = minifyCss("announcement"); // added where there is one
forms.regimes = minifyCss("regimes"); // added where something runs first
const outputs = { ...cores, ...parts, ...modules, "forms.json": Buffer.from(JSON.stringify(forms, null, 2) + "\n") };
const names = [
  ...readdirSync(join(here, "src"), { recursive: true }).filter((name) => /\.(ts|css)$/.test(name)).map((name) => "src/" + name),
  "build.mjs",
  "compile.mjs",
  "order.json",
  "package.json",
  "tsconfig.json",
];
const inputs = Object.fromEntries(names.sort().map((name) => [name, sha256(readFileSync(join(here, name)))]));
const brotli = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
const hashes = Object.fromEntries(Object.entries(outputs).map(([name, bytes]) => [name, sha256(bytes)]));
const sizes = Object.fromEntries(Object.entries({ ...cores, ...parts, ...modules }).map(([name, file]) => [name, Buffer.from(withoutParts(String(file)))]).map(([name, bytes]) => [name, { bytes: bytes.length, brotli: brotli(bytes) }]));
const manifest = { inputs, output: hashes, sizes };

mkdirSync(out, { recursive: true });
for (const [name, bytes] of Object.entries(outputs)) writeFileSync(join(out, name), bytes);
writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
for (const [name, { bytes, brotli }] of Object.entries(sizes)) console.log(`${name} ${bytes} bytes, ${brotli} brotli`);
