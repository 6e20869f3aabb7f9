// Brotli size of the whole response for a site: core and configuration as the server puts them together.
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";

const at = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const size = (text) =>
  brotliCompressSync(text, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: Buffer.byteLength(text) },
  }).length;

const core = at("../static/widget/core.js");
const config = JSON.stringify(JSON.parse(at(process.argv[2] ?? "fixtures/smilee.json")));
const whole = `(function(SITE_CONFIG){${core}})(${config});`;
const rows = { core, config, whole };
for (const [name, text] of Object.entries(rows))
  console.log(name.padEnd(8), String(Buffer.byteLength(text)).padStart(6), "bytes", String(size(text)).padStart(6), "brotli");
