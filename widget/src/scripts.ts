/** The release queue: held scripts run in document order, as if the page had them from the start. */
import { nonce } from "./origin";
import { isAllowed } from "./hold";
import { make } from "./element";
import { prefix, restore } from "./restore";
import { heldOf, restoreHeld } from "./gate/held";

/** Each with the element that says what it waits for: itself, or the template that it came in. */
const waiting: [held: HTMLScriptElement, by: Element][] = [];
let loading = 0;

/** Types that a browser runs; any other makes a block of data. */
export const runs = /^(|module|importmap|.*(java|ecma)script)$/i;

function isExternal(held: Element): boolean {
  return held.matches(`[src],[${prefix}src]`);
}

function revive(held: HTMLScriptElement): HTMLScriptElement {
  const script = make("script", {});
  for (const { name, value } of held.attributes) if (name !== "type") script.setAttribute(name, value);
  restore(script);
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
    const [held, by] = next;
    if (loading && !isExternal(held)) return;
    waiting.shift();
    if (!held.isConnected || !isAllowed(by)) continue;
    attempt(() => {
      const script = GATE && restoreHeld(held) ? held : revive(held);
      if (isAwaited(script)) {
        loading++;
        script.addEventListener("load", finishOne);
        script.addEventListener("error", finishOne);
      }
      if (!GATE || script !== held) held.replaceWith(script);
    });
  }
}

/** With a nonce on our own tag, injected mark-up must not run through us what the policy would stop. */
export function queueScript(held: HTMLScriptElement, by: Element): void {
  if (nonce && held.nonce !== nonce && !(GATE && heldOf(held))) console.warn("consent:", "nonce", held);
  else waiting.push([held, by]);
}
