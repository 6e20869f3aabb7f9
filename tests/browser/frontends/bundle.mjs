// Bundles each front end as its owner would: node bundle.mjs OUT makes OUT/NAME/app.js.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { compile } from "svelte/compiler";
import esbuild from "../../../widget/node_modules/esbuild/lib/main.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = process.argv[2];
const entries = readdirSync(join(here, "src"))
  .flatMap((name) => ["app.js", "app.jsx"].map((file) => `src/${name}/${file}`))
  .filter((file) => existsSync(join(here, file)));
const isModule = (file) => /type="module" src=".*app.js"/.test(page(file));
const page = (file) => readFileSync(join(here, file, "../index.html"), "utf8");

const svelte = {
  name: "svelte",
  setup(build) {
    build.onLoad({ filter: /\.svelte$/ }, ({ path }) => ({
      contents: compile(readFileSync(path, "utf8"), { filename: path.slice(here.length), css: "injected" }).js.code,
    }));
  },
};

const shared = {
  absWorkingDir: here,
  outdir: out,
  outbase: "src",
  bundle: true,
  minify: true,
  target: "es2022",
  jsx: "automatic",
  loader: { ".png": "dataurl" },
  conditions: ["browser", "production"],
  define: {
    "process.env.NODE_ENV": '"production"',
    __VUE_OPTIONS_API__: "true",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
  },
  plugins: [svelte],
  logLevel: "error",
};
const [modules, classic] = [entries.filter(isModule), entries.filter((file) => !isModule(file))];
await esbuild.build({ ...shared, entryPoints: modules, format: "esm", splitting: true, chunkNames: "chunks/[name]-[hash]" });
const preact = { ...shared, jsxImportSource: "preact" };
await esbuild.build({ ...preact, entryPoints: classic, format: "iife" });
