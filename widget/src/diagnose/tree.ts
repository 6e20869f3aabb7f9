/** Elements of the page, and how to find one again. */

const ours = "consent-notice,consent-placeholder,consent-diagnosis";

/** The document and every open shadow root in it, ours left out. */
export function allRoots(root: Document | ShadowRoot = document): (Document | ShadowRoot)[] {
  const inner = [...root.querySelectorAll("*")].flatMap((element) => (element.shadowRoot && !element.matches(ours) ? [element.shadowRoot] : []));
  return [root, ...inner.flatMap((one) => allRoots(one))];
}

export function findAll<T extends Element = Element>(selector: string): T[] {
  return allRoots().flatMap((root) => [...root.querySelectorAll<T>(selector)]);
}

/** A selector that leads to this element alone; `>>>` goes into a shadow root. */
export function pathOf(element: Element): string {
  const root = element.getRootNode() as Document | ShadowRoot;
  const steps: string[] = [];
  for (let one: Element | null = element; one && one.localName !== "html"; one = one.parentElement) {
    const id = one.id && "#" + CSS.escape(one.id);
    if (id && root.querySelectorAll(id).length === 1) {
      steps.unshift(one.localName + id);
      break;
    }
    const { localName, parentElement } = one;
    const alike = [...(parentElement ?? root).children].filter((other) => other.localName === localName);
    steps.unshift(localName + (alike.length > 1 ? `:nth-of-type(${alike.indexOf(one) + 1})` : ""));
  }
  const path = steps.join(" > ");
  return root instanceof ShadowRoot ? `${pathOf(root.host)} >>> ${path}` : path;
}

/** Without query and fragment, which may name a visitor. */
export function bare(address: string): string {
  try {
    const { host, pathname, protocol } = new URL(address, document.baseURI);
    return `${protocol}//${host}${pathname}`;
  } catch {
    return address;
  }
}

/** Attributes with which an element loads something by itself. */
export const loading = ["src", "srcset", "href", "data", "poster"];

/** As it is in the page: the gate answers `getAttribute` as if what it holds were there. */
export const valueOf = (element: Element, name: string) => element.attributes.getNamedItem(name)?.value;

/** Links that are fetched or connected to; the others only name something. */
const fetched = /stylesheet|icon|preload|prefetch|preconnect|prerender|manifest/i;

/** What an element loads now, without a visitor's click. */
export function addressesOf(element: Element): string[] {
  const isQuiet = element.matches("a,area,base") || (element instanceof HTMLLinkElement && !fetched.test(element.rel));
  const names = isQuiet ? [] : loading;
  return names.flatMap((name) => {
    const value = valueOf(element, name);
    if (!value || value.startsWith("#")) return [];
    return name === "srcset" ? value.split(/,\s+/).map((one) => one.trim().split(/\s/)[0] as string) : [value];
  });
}

/** Marked, but loading all the same. */
export function isLoose(element: Element): boolean {
  return element instanceof HTMLScriptElement ? isCode(element) : addressesOf(element).length > 0;
}

/** Scripts that a browser runs; the others are blocks of data. */
export function isCode(element: Element): element is HTMLScriptElement {
  return element instanceof HTMLScriptElement && /^(|module|.*(java|ecma)script)$/i.test(element.type);
}
