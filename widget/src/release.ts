/** Lets held elements go once what they wait for is granted; each one once. */
import { areGranted, heldSelector, isComplete, keysOf } from "./hold";
import { restore } from "./restore";
import { attempt, queueScript, runs, runScripts } from "./scripts";

const seen = new WeakSet<Element>();
const ran: string[][] = [];
const shown: { element: Element; held: Node; keys: string[] }[] = [];
let hasIncomplete = false;

function releaseScript(held: HTMLScriptElement, keys: string[]): void {
  ran.push(keys);
  queueScript(held, keys);
}

function releaseElement(element: Element, keys: string[]): void {
  shown.push({ element, held: element.cloneNode(true), keys });
  restore(element);
}

function releaseTemplate(template: HTMLTemplateElement, keys: string[]): void {
  const content = document.importNode(template.content, true);
  const scripts = [...content.querySelectorAll("script")].filter(({ type }) => runs.test(type));
  for (const script of scripts) {
    // Held by hand: inserted as they are they would run at once and out of order.
    script.setAttribute("data-consent-type", script.type);
    script.type = "text/plain";
  }
  // Firefox reads ahead inside templates, so addresses are held there, too.
  content.querySelectorAll(":not(script,[data-consent])").forEach(restore);
  ran.push(keys);
  template.replaceWith(content);
  for (const script of scripts) queueScript(script, keys);
}

function release(element: Element): void {
  const keys = keysOf(element);
  if (seen.has(element) || !areGranted(keys)) return;
  const isScript = element instanceof HTMLScriptElement;
  const isTemplate = element instanceof HTMLTemplateElement;
  if ((isScript || isTemplate) && !isComplete(element)) {
    hasIncomplete = true;
    return;
  }
  seen.add(element);
  if (isTemplate) releaseTemplate(element, keys);
  else if (!isScript) releaseElement(element, keys);
  else if (element.type === "text/plain") releaseScript(element, keys); // any other one has run already
}

export function releaseGranted(): void {
  hasIncomplete = false;
  for (const element of document.querySelectorAll(heldSelector)) attempt(() => release(element));
  runScripts();
}

/** Takes back what was withdrawn; false when a script of it ran, which only a reload can stop. */
export function holdWithdrawn(): boolean {
  for (const entry of shown.splice(0)) {
    if (areGranted(entry.keys)) shown.push(entry);
    else (entry.element as ChildNode).replaceWith(entry.held);
  }
  return ran.every(areGranted);
}

/** Whether an inserted node brings something to release, or shows that an earlier one is complete. */
export function bringsHeld(node: Node): boolean {
  return hasIncomplete || (node instanceof Element && (node.matches(heldSelector) || !!node.querySelector(heldSelector)));
}
