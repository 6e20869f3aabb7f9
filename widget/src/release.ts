/** Lets held elements go once what they wait for is granted; each one once. */
import { adoptMarkup, areJobsGranted, foreignSelector, runJobs } from "./compat";
import { heldSelector, isAllowed, isComplete, keysOf } from "./hold";
import { restore } from "./restore";
import { attempt, queueScript, runs, runScripts } from "./scripts";
import { gatedAs, scattered } from "./gate/held";
import { judge } from "./gate/verdict";

const seen = new WeakSet<Element>();
/** Marked elements whose code runs in this page. */
export const ran: Element[] = [];
const shown: [element: Element, held: Element][] = [];
let hasIncomplete = false;

function releaseElement(element: Element): void {
  shown.push([element, element.cloneNode(true) as Element]);
  restore(element);
}

/** For this page, or until a decision refuses it: nothing is decided, so nothing is stored or told to anybody. */
export function releaseOnce(held: Element): void {
  for (const element of [held, ...held.querySelectorAll(heldSelector)]) {
    releaseElement(element);
    element.removeAttribute("data-consent");
  }
}

function releaseTemplate(template: HTMLTemplateElement): void {
  const content = document.importNode(template.content, true);
  const scripts = [...content.querySelectorAll("script")].filter(({ type }) => runs.test(type));
  for (const script of scripts) {
    // Held by hand: inserted as they are they would run at once and out of order.
    script.setAttribute("data-consent-type", script.type);
    script.type = "text/plain";
  }
  // Firefox reads ahead inside templates, so addresses are held there, too.
  content.querySelectorAll(":not(script,[data-consent])").forEach(restore);
  ran.push(template);
  template.replaceWith(content);
  for (const script of scripts) if (!script.matches(heldSelector)) queueScript(script, template);
}

function release(element: Element): void {
  const isGated = GATE && gatedAs(element); // held again and again, as often as the page sets an address
  if ((seen.has(element) && !isGated) || !isAllowed(element)) return;
  if (isGated && !element.isConnected) {
    judge(keysOf(element)); // let into this page
    return restore(element); // which will do with it what it likes
  }
  const isScript = element.localName === "script"; // of HTML or SVG, in this window or in a frame's
  const isTemplate = element.localName === "template";
  if ((isScript || isTemplate) && !isComplete(element)) {
    hasIncomplete = true;
    return;
  }
  seen.add(element);
  if (isTemplate) releaseTemplate(element as HTMLTemplateElement);
  else if (!isScript) releaseElement(element);
  else if (isGated || (element as HTMLScriptElement).type === "text/plain") {
    ran.push(element);
    queueScript(element as HTMLScriptElement, element);
  } // any other one has run already
}

export function releaseGranted(): void {
  hasIncomplete = false;
  if (COMPAT) adoptMarkup();
  for (const element of document.querySelectorAll(heldSelector)) attempt(() => release(element));
  if (GATE) for (const element of scattered) attempt(() => release(element));
  runScripts();
  if (COMPAT) attempt(runJobs);
}

/** Takes back what was withdrawn; false when a script of it ran, which only a reload can stop. */
export function holdWithdrawn(): boolean {
  for (const entry of shown.splice(0)) {
    const [element, held] = entry;
    if (isAllowed(held)) shown.push(entry);
    else if (element.parentNode) element.replaceWith(held);
    else ran.push(held); // the page keeps it, and may show it again
  }
  return COMPAT ? ran.every(isAllowed) && areJobsGranted() : ran.every(isAllowed);
}

/** Whether an inserted node brings something to release, or shows that an earlier one is complete. */
export function bringsHeld(node: Node): unknown {
  const selector = COMPAT ? `${heldSelector},${foreignSelector}` : heldSelector;
  return hasIncomplete || (node as Element).matches?.(selector) || (node as Element).querySelector?.(selector);
}
