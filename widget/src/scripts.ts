/** The release queue: held scripts run in document order, as if the page had them from the start. */
import { nonce } from "./origin";
import { isAllowed, prefix } from "./hold";
import { restore } from "./restore";
import { make } from "./element";
import { getAttribute, removeAttribute, setAttribute, trust } from "./gate/builtins";
import { gatedAs } from "./gate/held";

/** Each with the element that says what it waits for: itself, or the template that it came in. */
const waiting: [held: HTMLScriptElement, by: Element][] = [];
let loading = 0;

/** Types that a browser runs; any other makes a block of data. */
export const runs = /^\s*(|module|importmap|.*(java|ecma|j|live)script[\d.]*)\s*$/i;

function isExternal(held: Element): boolean {
  return held.matches(`[src],[${prefix}src]`);
}

export function copyScript(script: HTMLScriptElement): HTMLScriptElement {
  const copy = make("script", {});
  for (const { name, value } of script.attributes) GATE ? setAttribute(copy, name, value) : copy.setAttribute(name, value);
  copy.text = GATE ? trust("createScript", script.text) : script.text;
  return copy;
}

/** Made anew: what stood there as data is never looked at again. */
function revive(held: HTMLScriptElement): HTMLScriptElement {
  const script = copyScript(held);
  GATE ? removeAttribute(script, "type") : script.removeAttribute("type"); // the page's own would forget what was held
  restore(script);
  script.nonce = held.nonce as string; // hidden from the attributes on pages with a policy
  script.async = script.hasAttribute("async"); // made by script it would be async by itself
  held.replaceWith(script);
  return script;
}

/** What the gate took the address from may have listeners of the page: it gets it back. */
function resume(held: HTMLScriptElement): HTMLScriptElement {
  const type = held.getAttribute(prefix + "type");
  if (type !== null) held.type = type; // first, since the address starts it
  if (gatedAs(held) === "parsed") held.async = held.hasAttribute("async");
  restore(held);
  return held;
}

/** Only these fire load or error: waiting for another one would wait for ever. */
function isAwaited(script: HTMLScriptElement): unknown {
  return (GATE ? getAttribute(script, "src") : script.getAttribute("src")) && !script.async && !script.noModule && runs.test(script.type);
}

/** What fails with one tag must not keep the others. */
export function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    console.error(error);
    return undefined;
  }
}

function finishOne(): void {
  loading--;
  runScripts();
}

export function runScripts(): void {
  for (let next = waiting[0]; next; next = waiting[0]) {
    const [held, by] = next;
    if (loading && !isExternal(held)) return;
    waiting.shift();
    if (!held.isConnected || !isAllowed(by)) continue;
    attempt(() => {
      const script = GATE && gatedAs(held) && !held.text ? resume(held) : revive(held);
      if (!isAwaited(script)) return;
      loading++;
      script.addEventListener("load", finishOne);
      script.addEventListener("error", finishOne);
    });
  }
}

/** With a nonce on our own tag, injected mark-up must not run through us what the policy would stop. */
export function queueScript(held: HTMLScriptElement, by: Element): void {
  if (nonce && held.nonce !== nonce && !(GATE && gatedAs(held))) console.warn("consent:", "nonce", held);
  else if (!GATE || !waiting.some(([one]) => one === held)) waiting.push([held, by]);
}
