/** Our own tag: where it stands and how it is loaded. */
import type { Found } from "./checks";
import { isCode, pathOf } from "./tree";

const base = import.meta.url.replace(/\/diagnose\.js.*$/, "");

/** Every tag of the site in this page, pinned by its hash or not. */
export function findTags(): HTMLScriptElement[] {
  return [...document.querySelectorAll<HTMLScriptElement>("script[src]")].filter(({ src }) => src.replace(/(\/[0-9a-f]{64})?\.js([?#].*)?$/, "") === base);
}

const isLate = (tag: HTMLScriptElement) => tag.async || tag.defer || tag.type === "module";

/** Scripts that ran, or may have run, before the tag. */
function scriptsBefore(tag: HTMLScriptElement): Element[] {
  const isBefore = (script: Element) => tag.compareDocumentPosition(script) & Node.DOCUMENT_POSITION_PRECEDING;
  return [...document.querySelectorAll("script")].filter((script) => isCode(script) && isBefore(script));
}

export function listTagFindings(level: string): Found[] {
  const tags = findTags();
  const [tag] = tags;
  if (!tag) return [["tag_missing", "warning", [], { tag: base + ".js" }]];
  const found: Found[] = tags.length > 1 ? [["tag_twice", "warning", tags.map(pathOf)]] : [];
  if (level === "declared") return isLate(tag) ? found : [...found, ["tag_waits", "advice", [pathOf(tag)]]];
  const before = scriptsBefore(tag).map(pathOf);
  if (isLate(tag)) found.push(["tag_late", "error", [pathOf(tag)]]);
  if (before.length) found.push(["tag_not_first", "error", before]);
  return found;
}
