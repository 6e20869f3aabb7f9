/** Mark-up that the page writes as text: tags that must wait are changed before the browser reads them. */
import { apply, getOwnPropertyDescriptor, prototype, trust } from "./builtins";
import { holdTree } from "./elements";
import { gatedAs } from "./held";

/** Nothing in it runs or loads. */
export const inert = document.implementation.createHTMLDocument();
const template = inert.createElement("template");
const setHtml = getOwnPropertyDescriptor(prototype, "innerHTML")?.set as (html: string) => void;

function holdTag(tag: string): string {
  apply(setHtml, template, [trust("createHTML", tag)]);
  const element = template.content.firstElementChild;
  if (!element) return tag;
  holdTree(element);
  if (!gatedAs(element)) return tag;
  // Its name as it was: a table's cell is no element of its own, and an image no `img`; and its end: in SVG a slash closes it,
  // and a script's text has none.
  return element.outerHTML.replace(/^<[\w:-]+/, (/^<[\w:-]+/.exec(tag) as RegExpExecArray)[0]).replace(/(\/?>)?(<\/[^>]*>)?$/, (/(\/?>)?$/.exec(tag) as RegExpExecArray)[0]);
}

let unfinished = "";

/** A tag may be written in pieces: its beginning waits for its end, as it does in the browser's own parser. */
export function wholeTags(texts: unknown[]): string {
  const text = unfinished + texts.join("");
  unfinished = /<([a-z/!][^<>]*)?$/i.exec(text)?.[0] ?? "";
  return text.slice(0, text.length - unfinished.length);
}

/** The same text where nothing in it must wait. */
export function holdMarkup(html: unknown): unknown {
  if (!/\/\/|&|\\/.test(html as string)) return html;
  const text = String(html);
  // Each start tag; of scripts and styles with their text.
  const held = text.replace(/<(script|style)\b(?:"[^"]*"|'[^']*'|[^'">])*>[^]*?(?=<\/\1|$)|<[a-z](?:"[^"]*"|'[^']*'|[^'">])*>/gi, holdTag);
  return held === text ? html : trust("createHTML", held);
}
