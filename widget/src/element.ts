/** Building DOM: no mark-up strings, so that every content policy lets us draw. */

/** A property of the document: an element of the page with that name (`<img name=body>`) would shadow it. */
export function own<K extends keyof Document>(name: K): Document[K] {
  return Reflect.get(Document.prototype, name, document) as Document[K];
}

type Child = Node | string | 0 | false | undefined;

/** Children that are nothing are left out. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string>, ...children: Child[]): HTMLElementTagNameMap[K];
export function make(tag: `consent-${string}`, attributes: Record<string, string>): HTMLElement;
export function make(tag: string, attributes: Record<string, string>, ...children: Child[]): HTMLElement {
  const made = document.createElement(tag);
  for (const name in attributes) made.setAttribute(name, attributes[name] as string);
  for (const child of children) if (child) made.append(child);
  return made;
}

/** A real button; `data-consent-action` is what owners and tests may rely on. */
export function button(action: string, text: string, look: string): HTMLButtonElement {
  return make("button", { class: look, "data-consent-action": action }, text);
}

/** Opens beside the page, so that nothing chosen so far is lost. */
export function outsideLink(href: string, text: string): HTMLAnchorElement {
  return make("a", { href, target: "_blank", rel: "noreferrer" }, text);
}
