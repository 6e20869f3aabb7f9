/** Where this script came from, read while it runs. */
import { config } from "./config";

// A page element named "currentScript" would shadow the property: take nothing but a real script.
const tag = document.currentScript;
const own = tag instanceof HTMLScriptElement ? tag : undefined;

/** Address of the public endpoints: the script's own without its hash and `.js`. */
export const base = own?.src.replace(/(\/[0-9a-f]{64})?\.js([?#].*)?$/, "") || "/w/" + config.site;

/** The page's CSP nonce, when our own tag carries one. */
export const nonce = own?.nonce ?? "";
