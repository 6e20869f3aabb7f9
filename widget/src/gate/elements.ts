/** Whatever makes an element load: looked at when it is set, and when the element comes into a page. */
import { attributeNames, getAttribute, queryElement, queryFragment, surround, wrap, type Realm } from "./builtins";
import { forgetAttribute, heldOf, holdAttribute, holdContent } from "./held";
import { importVerdict, readImportMap, textVerdict, verdict } from "./verdict";

/** Attributes with an address, and those with a text that may hold several. */
const addresses = new Set(["src", "href", "xlink:href", "data", "poster", "background"]);
const lists = new Set(["srcset", "imagesrcset", "srcdoc", "ping"]);
/** What may load without a visitor's click, cheaper to find than to look at every element. */
const loading = "script,style,link,image,feImage,use,[src],[srcset],[data],[poster],[background],[srcdoc],[ping],template";
const links = /^(a|area|base)$/i;

const setAside = (element: Element, name: string) => heldOf(element)?.attributes.get(name);

/** Whether that value must wait; if so it has been set aside. */
export function holdsValue(element: Element, name: string, value: unknown, isParsed = false): boolean {
  const isAddress = addresses.has(name);
  const isCode = name.startsWith("on");
  if (!isAddress && !isCode && !lists.has(name)) return false;
  const tag = element.localName;
  if (name.endsWith("href") && links.test(tag)) return false;
  const keys = isCode ? importVerdict(String(value)) : (isAddress ? verdict : textVerdict)(value);
  if (!keys) {
    if (!isParsed) forgetAttribute(element, name);
    return false;
  }
  holdAttribute(element, name, String(value), keys, isParsed);
  if (isParsed && /^i?frame$/.test(tag)) element.parentNode?.insertBefore(element, element.nextSibling); // the load has begun: a new start ends it
  if (tag === "script") holdContent(element, keys, isParsed);
  return true;
}

function holdElement(element: Element, isParsed: boolean): void {
  const tag = element.localName;
  for (const name of attributeNames(element)) if (name !== "type") holdsValue(element, name, getAttribute(element, name), isParsed);
  if (tag === "template") holdTree((element as HTMLTemplateElement).content, isParsed);
  if (heldOf(element)) return;
  const text = (tag === "script" || tag === "style") && element.textContent;
  if (!text) return;
  if (getAttribute(element, "type") === "importmap") readImportMap(text);
  const isData = tag === "style" || /^(importmap|speculationrules)$/i.test(getAttribute(element, "type") ?? "");
  const keys = (isData ? textVerdict : importVerdict)(text);
  if (keys) holdContent(element, keys, isParsed);
}

/** An element or a fragment with everything in it. */
export function holdTree(node: Node, isParsed = false): void {
  const { nodeType } = node;
  if (nodeType === 1) holdElement(node as Element, isParsed);
  if ((nodeType !== 1 && nodeType !== 11) || !node.firstChild) return;
  for (const element of (nodeType === 1 ? queryElement : queryFragment)(node, loading)) holdElement(element, isParsed);
}

/** Attributes as the page got them -> their element. */
const owners = new WeakMap<object, Element>();

const nothing = () => undefined;
const wait: string[] = [];
const isHeld = (held: boolean) => (held ? wait : undefined);
const attributeOf = (name: unknown) => String(name).toLowerCase();

function guardProperties(realm: Realm): void {
  for (const name of Object.getOwnPropertyNames(realm)) {
    if (!/^(HTML|SVG).*Element$/.test(name)) continue;
    const owner = realm[name]?.prototype as object | undefined;
    for (const property of ["src", "srcset", "href", "data", "poster", "background", "imageSrcset", "srcdoc", "ping"]) {
      const attribute = attributeOf(property);
      wrap(owner, property, (self: Element, [value]: unknown[]) => isHeld(holdsValue(self, attribute, value)), nothing, "set");
      wrap(owner, property, (self: Element) => isHeld(setAside(self, attribute) !== undefined), (_keys, _go, self: Element) => setAside(self, attribute), "get");
    }
  }
}

function guardAttributes({ Element: { prototype }, Attr, NamedNodeMap }: Realm): void {
  wrap(prototype, "setAttribute", (self: Element, [name, value]: unknown[]) => isHeld(holdsValue(self, attributeOf(name), value)), nothing);
  wrap(prototype, "setAttributeNS", (self: Element, [, name, value]: unknown[]) => isHeld(holdsValue(self, attributeOf(name), value)), nothing);
  const byNode = (self: Element, [node]: Attr[]) => isHeld(!!node && holdsValue(self, node.name, node.value));
  wrap(prototype, "setAttributeNode", byNode, nothing);
  wrap(prototype, "setAttributeNodeNS", byNode, nothing);
  for (const method of ["setNamedItem", "setNamedItemNS"])
    wrap(NamedNodeMap.prototype, method, (self: NamedNodeMap, args: never[]) => byNode(owners.get(self) as Element, args), nothing);
  surround(
    prototype,
    "attributes",
    (go, self: Element) => {
      const map = go() as NamedNodeMap;
      owners.set(map, self);
      return map;
    },
    "get",
  );
  wrap(Attr.prototype, "value", (self: Attr, [value]: unknown[]) => isHeld(!!self.ownerElement && holdsValue(self.ownerElement, self.name, value)), nothing, "set");
  wrap(prototype, "removeAttribute", (self: Element, [name]: unknown[]) => (forgetAttribute(self, attributeOf(name)), undefined), nothing);
  wrap(prototype, "getAttribute", (self: Element, [name]: unknown[]) => isHeld(setAside(self, attributeOf(name)) !== undefined), (_keys, _go, self: Element, [name]: unknown[]) => setAside(self, attributeOf(name)));
}

export function guardElements(realm: Realm): void {
  guardProperties(realm);
  guardAttributes(realm);
}
