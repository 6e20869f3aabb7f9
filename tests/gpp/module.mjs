// The module as it is served: what the server knows, then the built code.
import { readFileSync } from "node:fs";

const code = readFileSync(new URL("../../static/widget/gpp.js", import.meta.url), "utf8");

export const load = (facts) => import("data:text/javascript," + encodeURIComponent(`const GPP_FACTS=${JSON.stringify(facts)};${code}`));
