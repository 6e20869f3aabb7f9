/** The release queue: held scripts run in document order, as if the page had them from the start. */
import { nonce } from "./origin";
import { areGranted } from "./hold";

const prefix = "data-consent-";
const waiting: { held: HTMLScriptElement; keys: string[] }[] = [];
let loading = 0;

/** Attributes that user-written mark-up must not smuggle past a sanitizer that lets data-* through. */
const unsafe = /^(on|srcdoc$|style$)/;

/** The attribute that a held one turns into, or nothing when it stays as it is. */
export function releasedName(element: Element, name: string): string | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const released = name.slice(prefix.length);
  return unsafe.test(released) || (released === "href" && !/^(link|image)$/i.test(element.tagName)) ? undefined : released;
}

interface TrustPolicy {
  createScript(text: string): string;
  createScriptURL(text: string): string;
}
let policy: TrustPolicy | undefined;

/** The owner's own mark-up, told to browsers that enforce Trusted Types (policy name: consent). */
function trust(kind: "createScript" | "createScriptURL", text: string): string {
  const factory = (window as { trustedTypes?: { createPolicy(name: string, rules: TrustPolicy): TrustPolicy } }).trustedTypes;
  policy ??= factory?.createPolicy("consent", { createScript: (script) => script, createScriptURL: (url) => url });
  return policy ? policy[kind](text) : text;
}

function isExternal(held: Element): boolean {
  return held.hasAttribute("src") || held.hasAttribute(prefix + "src");
}

function revive(held: HTMLScriptElement): HTMLScriptElement {
  const script = document.createElement("script");
  const type = held.getAttribute(prefix + "type");
  const src = held.getAttribute(prefix + "src") ?? held.getAttribute("src");
  for (const { name, value } of held.attributes) {
    const released = releasedName(held, name) ?? name;
    if (!/^(type|src|async|data-consent.*)$/.test(released)) script.setAttribute(released, value);
  }
  if (type) script.type = type;
  script.nonce = held.nonce ?? ""; // hidden from getAttribute on pages with a policy
  script.async = held.hasAttribute("async") || held.hasAttribute(prefix + "async");
  if (src === null) script.text = trust("createScript", held.text);
  else script.src = trust("createScriptURL", src);
  return script;
}

/** Only these fire load or error: waiting for another one would wait for ever. */
function isAwaited(script: HTMLScriptElement): boolean {
  return !!script.getAttribute("src") && !script.async && !script.noModule && /^(|module|.*(java|ecma)script)$/i.test(script.type);
}

function finishOne(): void {
  loading--;
  runScripts();
}

export function runScripts(): void {
  for (let next = waiting[0]; next; next = waiting[0]) {
    const { held, keys } = next;
    if (loading && !isExternal(held)) return;
    waiting.shift();
    if (!held.isConnected || !areGranted(keys)) continue;
    try {
      const script = revive(held);
      if (isAwaited(script)) {
        loading++;
        script.addEventListener("load", finishOne);
        script.addEventListener("error", finishOne);
      }
      held.replaceWith(script);
    } catch (error) {
      console.error(error);
    }
  }
}

/** With a nonce on our own tag, injected mark-up must not run through us what the policy would stop. */
export function queueScript(held: HTMLScriptElement, keys: string[]): void {
  if (nonce && held.nonce !== nonce) console.warn("consent: not released, its nonce is not the page's", held);
  else waiting.push({ held, keys });
}
