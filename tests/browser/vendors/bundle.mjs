// Bundles each vendor as a site would: node bundle.mjs OUT makes OUT/NAME.js of src/NAME.js.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import esbuild from "../../../widget/node_modules/esbuild/lib/main.js";

const here = fileURLToPath(new URL(".", import.meta.url));

await esbuild.build({
  absWorkingDir: here,
  entryPoints: readdirSync(join(here, "src")).map((name) => "src/" + name),
  outdir: process.argv[2],
  bundle: true,
  minify: true,
  format: "iife", // one classic script per vendor: what is imported late is in it, too
  platform: "browser",
  target: "es2021",
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "error",
});
