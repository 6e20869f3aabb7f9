/** Mark-up that the page writes as text: tags that must wait are changed before the browser reads them. */
import { apply, getOwnPropertyDescriptor, wrap, type Realm } from "./builtins";
import { holdTree } from "./elements";
import { heldOf } from "./held";

/** A start tag; of scripts and styles with their text. */
const tags = /<(script|style)\b(?:"[^"]*"|'[^']*'|[^'">])*>[^]*?(?=<\/\1|$)|<[a-z](?:"[^"]*"|'[^']*'|[^'">])*>/gi;
const inert = document.implementation.createHTMLDocument().createElement("template");
const setHtml = getOwnPropertyDescriptor(Element.prototype, "innerHTML")?.set as (html: string) => void;

interface Policy {
  createHTML(html: string): string;
}

/** On pages that demand trusted types; where the page forbids ours, changed mark-up is not written. */
let policy: Policy | undefined;
try {
  policy = (window as Realm).trustedTypes?.createPolicy("consent", { createHTML: (html: string) => html });
} catch {
  // see above
}

function holdTag(tag: string): string {
  apply(setHtml, inert, [policy?.createHTML(tag) ?? tag]);
  const element = inert.content.firstElementChild;
  if (!element) return tag;
  holdTree(element);
  if (!heldOf(element)) return tag;
  const held = element.outerHTML.replace(/^<[\w:-]+/, (/^<[\w:-]+/.exec(tag) as RegExpExecArray)[0]);
  return held.replace(/<\/[^>]*>$/, "");
}

/** The same text where nothing in it must wait. */
function holdMarkup(html: unknown): unknown {
  const text = String(html);
  if (!/\/\/|&|\\/.test(text)) return html;
  const held = text.replace(tags, holdTag);
  return held === text ? html : (policy?.createHTML(held) ?? held);
}

const none = () => undefined;

/** The place of the mark-up among the arguments; those after it are mark-up, too, where the method takes many. */
function guardText(owner: object | undefined, name: string, place: number, kind: "value" | "set" = "value"): void {
  const change = (_self: never, args: unknown[]): undefined => {
    for (let at = place; at < args.length; at++) if (name.startsWith("write") || at === place) args[at] = holdMarkup(args[at]);
  };
  wrap(owner, name, change as never, none, kind);
}

export function guardMarkup({ Element, Document, Range, ShadowRoot }: Realm): void {
  for (const { prototype } of [Element, ShadowRoot]) {
    guardText(prototype, "innerHTML", 0, "set");
    guardText(prototype, "setHTMLUnsafe", 0);
  }
  guardText(Element.prototype, "outerHTML", 0, "set");
  guardText(Element.prototype, "insertAdjacentHTML", 1);
  guardText(Range.prototype, "createContextualFragment", 0);
  guardText(Document.prototype, "write", 0);
  guardText(Document.prototype, "writeln", 0);
}
