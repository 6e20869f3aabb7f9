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

/** Types that a browser runs; any other makes a block of data. */
export const runs = /^(|module|importmap|.*(java|ecma)script)$/i;

function isExternal(held: Element): boolean {
  return held.hasAttribute("src") || held.hasAttribute(prefix + "src");
}

function revive(held: HTMLScriptElement): HTMLScriptElement {
  const script = document.createElement("script");
  for (const { name, value } of held.attributes) {
    const released = releasedName(held, name);
    if (released || !/^(type$|data-consent)/.test(name)) script.setAttribute(released ?? name, value);
  }
  script.nonce = held.nonce as string; // hidden from the attributes on pages with a policy
  script.async = script.hasAttribute("async"); // made by script it would be async by itself
  if (!script.hasAttribute("src")) script.text = held.text;
  return script;
}

/** Only these fire load or error: waiting for another one would wait for ever. */
function isAwaited(script: HTMLScriptElement): boolean {
  return !!script.getAttribute("src") && !script.async && !script.noModule && runs.test(script.type);
}

/** What fails with one tag must not keep the others. */
export function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    console.error(error);
  }
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
    attempt(() => {
      const script = revive(held);
      if (isAwaited(script)) {
        loading++;
        script.addEventListener("load", finishOne);
        script.addEventListener("error", finishOne);
      }
      held.replaceWith(script);
    });
  }
}

/** With a nonce on our own tag, injected mark-up must not run through us what the policy would stop. */
export function queueScript(held: HTMLScriptElement, keys: string[]): void {
  if (nonce && held.nonce !== nonce) console.warn("consent: nonce", held);
  else waiting.push({ held, keys });
}
