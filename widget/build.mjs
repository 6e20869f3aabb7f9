// Builds the cores under static/widget, each the body of `(function(SITE_CONFIG){core})(config);`, and their manifest.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import esbuild from "esbuild";
import { minify } from "terser";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = process.argv[2] ?? join(here, "../static/widget");
const target = "es2021"; // Chrome 85, Firefox 79, Safari 14.1: older ones get nothing, so nothing optional runs
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

const minifyCss = (path) => esbuild.transformSync(readFileSync(path, "utf8"), { loader: "css", minify: true, target }).code.trim();

/** The functions of a bundle as arrows, before all statements: without the word `function` it is 1 % smaller. */
function toArrows(bundle) {
  const arrows = [];
  const statements = bundle.replace(/^(async )?function ([\w$]+)(\(.*\)) (\{\n[^]*?^\})\n/gm, (_whole, async = "", name, parameters, body) => {
    arrows.push(`${name} = ${async}${parameters} => ${body}`);
    return "";
  });
  return `var ${arrows.join(",")};\n${statements}`;
}

/** One file of an entry with all that it needs. */
async function build(entry, define) {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: here,
    entryPoints: [entry],
    bundle: true,
    minifySyntax: true,
    treeShaking: true,
    define,
    write: false,
    format: "esm", // top-level names are ours alone: the server puts the function round them
    charset: "utf8",
    legalComments: "none",
    target,
  });
  // The bundle is one module, so terser may inline across what were files: 4 % smaller than esbuild's own minifier.
  const { code } = await minify(toArrows(outputFiles[0].text), {
    module: true,
    compress: { ecma: 2020, passes: 4, pure_getters: true, unsafe_arrows: true, keep_fargs: false, hoist_funs: true, inline: 1 },
    format: { ecma: 2020 },
  });
  return Buffer.from(code.trim() + "\n");
}

const cores = {};
// One for each set of parts that a site may ask for: what it does not ask for does not travel.
for (const GATE of [false, true])
  for (const COMPAT of [false, true])
    for (const news of ["", "-news", "-news-announced"])
      cores["core" + (GATE ? "-gate" : "") + (COMPAT ? "-compat" : "") + news + ".js"] = await build("src/main.ts", {
        GATE: String(GATE),
        COMPAT: String(COMPAT),
        NEWS: String(!!news),
        ANNOUNCED: String(news.endsWith("announced")),
      });
// For owners who ask for it; a module, which the core imports then.
const PANEL_CSS = JSON.stringify(minifyCss(join(here, "src/diagnose/panel.css")));
const diagnose = { "diagnose.js": await build("src/diagnose/index.ts", { PANEL_CSS }) };
/** The styles of each form of the notice, complete: the server takes the one that the owner chose. */
const styles = (name) => minifyCss(join(here, `src/${name}.css`));
const forms = Object.fromEntries(["bar", "box", "centred"].map((form) => [form, styles("widget") + styles("forms/" + form)]));
forms.announcement = minifyCss(join(here, "src/announcement.css")); // added where there is one
const outputs = { ...cores, ...diagnose, "forms.json": Buffer.from(JSON.stringify(forms, null, 2) + "\n") };
const names = [
  ...readdirSync(join(here, "src"), { recursive: true }).filter((name) => /\.(ts|css)$/.test(name)).map((name) => "src/" + name),
  "build.mjs",
  "package.json",
  "tsconfig.json",
];
const inputs = Object.fromEntries(names.sort().map((name) => [name, sha256(readFileSync(join(here, name)))]));
const brotli = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
const hashes = Object.fromEntries(Object.entries(outputs).map(([name, bytes]) => [name, sha256(bytes)]));
const sizes = Object.fromEntries(Object.entries({ ...cores, ...diagnose }).map(([name, bytes]) => [name, { bytes: bytes.length, brotli: brotli(bytes) }]));
const manifest = { inputs, output: hashes, sizes };

mkdirSync(out, { recursive: true });
for (const [name, bytes] of Object.entries(outputs)) writeFileSync(join(out, name), bytes);
writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
for (const [name, { bytes, brotli }] of Object.entries(sizes)) console.log(`${name} ${bytes} bytes, ${brotli} brotli`);
