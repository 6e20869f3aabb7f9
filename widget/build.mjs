// Builds static/widget/core.js, the body of `(function(SITE_CONFIG){core})(config);`, and its manifest.
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

/** Style sheets are minified here and travel as text inside the script. */
const cssText = {
  name: "css-text",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, (args) => ({ contents: minifyCss(args.path), loader: "text" }));
  },
};

const { outputFiles } = await esbuild.build({
  absWorkingDir: here,
  entryPoints: ["src/main.ts"],
  plugins: [cssText],
  bundle: true,
  minifySyntax: true,
  write: false,
  format: "esm", // top-level names are ours alone: the server puts the function round them
  charset: "utf8",
  legalComments: "none",
  target,
});

// The bundle is one module, so terser may inline across what were files: 4 % smaller than esbuild's own minifier.
const { code } = await minify(outputFiles[0].text, {
  module: true,
  compress: { ecma: 2020, passes: 4, pure_getters: true, unsafe_arrows: true, keep_fargs: false, hoist_funs: true },
  format: { ecma: 2020 },
});
const core = Buffer.from(code.trim() + "\n");
/** The styles of each form of the notice: the server takes the one that the owner chose. */
const forms = Object.fromEntries(
  ["bar", "box", "centred"].map((form) => [form, minifyCss(join(here, `src/forms/${form}.css`))]),
);
const outputs = { "core.js": core, "forms.json": Buffer.from(JSON.stringify(forms, null, 2) + "\n") };
const names = [
  ...readdirSync(join(here, "src"), { recursive: true }).filter((name) => /\.(ts|css)$/.test(name)).map((name) => "src/" + name),
  "build.mjs",
  "package.json",
  "tsconfig.json",
];
const inputs = Object.fromEntries(names.sort().map((name) => [name, sha256(readFileSync(join(here, name)))]));
const brotli = brotliCompressSync(core, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
const manifest = { inputs, output: Object.fromEntries(Object.entries(outputs).map(([name, bytes]) => [name, sha256(bytes)])), bytes: { core: core.length, brotli } };

mkdirSync(out, { recursive: true });
for (const [name, bytes] of Object.entries(outputs)) writeFileSync(join(out, name), bytes);
writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
console.log(`core.js ${core.length} bytes, ${brotli} brotli`);
