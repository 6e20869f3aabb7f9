/** What the owner should write: the element as held mark-up, and the service for the site file. */
import { addressesOf, isCode, loading } from "./tree";
import { serviceOf } from "./match";

const empty = /^(img|link|embed|source|input|track)$/;
/** Longer ones are told by their start tag: the code stays as it is. */
const longest = 2000; // characters

const escape = (value: string) => value.replace(/&/g, "&amp;").replace(/"/g, "&quot;");

function attributesOf(element: Element, condition: string): string[] {
  const isScript = element instanceof HTMLScriptElement;
  const written = isScript ? ['type="text/plain"', `data-consent="${condition}"`] : [`data-consent="${condition}"`];
  for (const { name, value } of element.attributes) {
    if (/^(data-consent|data-gate|nonce)$/.test(name)) continue;
    if (isScript && /^(data-consent-)?type$/.test(name)) {
      if (value === "module") written.push('data-consent-type="module"');
    } else written.push((loading.includes(name) ? "data-consent-" : "") + (value || name === "alt" ? `${name}="${escape(value)}"` : name));
  }
  // Browsers hide the value, and each response has another one.
  if ((element as HTMLElement).nonce) written.push('nonce="..."');
  return written;
}

/** Built as text: a copied element would load what it names. */
export function markupFor(element: Element, service: string): string {
  const condition = "service:" + service;
  const tag = element.localName;
  if (tag === "noscript" || tag === "style") return `<template data-consent="${condition}">\n${element.outerHTML.slice(0, longest)}\n</template>`;
  const start = `<${tag} ${attributesOf(element, condition).join(" ")}>`;
  if (empty.test(tag)) return start;
  const isInline = isCode(element) && !addressesOf(element).length;
  const text = isInline ? (element.textContent ?? "") : "";
  return text.length > longest ? start : `${start}${text}</${tag}>`;
}

/** For a service that the site file lacks. How long data is kept only the owner knows: left empty, it is refused. */
export function siteFileFor(service: string, categories: string[]): string | undefined {
  const { in_site, category } = serviceOf(service);
  if (in_site) return undefined;
  const missing = categories.includes(category) ? "" : `[[categories]]\nkey = "${category}"\n\n`;
  return `${missing}[[services]]\nuse = "${service}"\nretention = ""`;
}
