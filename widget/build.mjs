// Builds static/widget/core.js, the body of `(function(SITE_CONFIG){core})(config);`, and its manifest.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import esbuild from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = process.argv[2] ?? join(here, "../static/widget");
const target = "es2021"; // Chrome 85, Firefox 79, Safari 14.1: older ones get nothing, so nothing optional runs
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Style sheets are minified here and travel as text inside the script. */
const cssText = {
  name: "css-text",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, (args) => {
      const { code } = esbuild.transformSync(readFileSync(args.path, "utf8"), { loader: "css", minify: true, target });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

const { outputFiles } = await esbuild.build({
  absWorkingDir: here,
  entryPoints: ["src/main.ts"],
  plugins: [cssText],
  bundle: true,
  minify: true,
  write: false,
  format: "esm", // top-level names are ours alone: the server puts the function round them
  charset: "utf8",
  legalComments: "none",
  target,
});

const core = Buffer.from('"use strict";' + outputFiles[0].text.trim() + "\n");
const names = [...readdirSync(join(here, "src")).map((name) => "src/" + name), "build.mjs", "package.json", "tsconfig.json"];
const inputs = Object.fromEntries(names.sort().map((name) => [name, sha256(readFileSync(join(here, name)))]));
const brotli = brotliCompressSync(core, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
const manifest = { inputs, output: { "core.js": sha256(core) }, bytes: { core: core.length, brotli } };

mkdirSync(out, { recursive: true });
writeFileSync(join(out, "core.js"), core);
writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
console.log(`core.js ${core.length} bytes, ${brotli} brotli`);
