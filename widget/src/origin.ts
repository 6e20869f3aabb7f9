/** Where this script came from, read while it runs. */
import { config } from "./config";

// A page element named "currentScript" would shadow the property: take nothing but a real script.
const tag = document.currentScript;
const own = tag instanceof HTMLScriptElement ? tag : undefined;
const address = /^([^?#]+?)(\/[0-9a-f]{64})?\.js([?#]|$)/.exec(own?.src ?? "");

/** Address of the public endpoints: the script's own without `.js`. */
export const base = address?.[1] ?? "/w/" + config.site;

/** The page's CSP nonce, when our own tag carries one. */
export const nonce = own?.nonce ?? "";
