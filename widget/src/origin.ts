/** Where this script came from, read while it runs. */
import { config } from "./config";
import { own } from "./element";

/** Our own element. */
export const tag = own("currentScript") as HTMLScriptElement | null;

/** Address of the public endpoints: the script's own without its hash and `.js`. */
export const base = tag?.src?.replace(/(\/[0-9a-f]{64})?\.js([?#].*)?$/, "") || "/w/" + config.site;

/** The page's CSP nonce, when our own tag carries one. */
export const nonce = tag?.nonce ?? "";
