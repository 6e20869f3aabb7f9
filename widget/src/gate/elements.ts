/** Whatever makes an element load: looked at when it is set, and when the element comes into a page. */
import { runs } from "../scripts";
import { attributeNames, getAttribute, guard, hook, queryElement, queryFragment, setAttribute, type Args, type Realm } from "./builtins";
import { forget, gatedAs, heldValue, hold, keep } from "./held";
import { importVerdict, readImportMap, sheetVerdict, textVerdict, verdict } from "./verdict";
import { holdStyle } from "./styles";
import { wait } from "./waiting";

/** Attributes with an address, with a text that may hold several, and with code. */
const loads = /^(?:(src|href|xlink:href|data|poster|background)|(srcset|imagesrcset|srcdoc|ping|to|from|values|fill|stroke|filter|mask|cursor|clip-path|marker.*)|on.+)$/;
const names = ["src", "srcset", "data", "poster", "background", "srcdoc", "ping"];
/** What may load without a visitor's click, cheaper to find than to look at every element. */
const loading = `script,style,link,image,feImage,use,set,animate,svg *,[data-consent],[${names.join("],[")}]`;

function keysOfValue(name: string, value: unknown): string[] | undefined | null {
  const found = loads.exec(name);
  return found && (found[1] ? verdict : found[2] ? textVerdict : importVerdict)(value);
}

/** What that value must wait for; if so it has been set aside. */
function keysHeld(element: Element, name: string, value: unknown, isParsed = false): string[] | undefined | null {
  if (!loads.test(name) || /^(a|area|base) href$/.test(element.localName + " " + name)) return undefined; // links and the base load nothing
  const keys = keysOfValue(name, value);
  if (keys) {
    hold(element, name, String(value), keys, isParsed);
    if (isParsed && isFrame(element)) element.parentNode?.insertBefore(element, element.nextSibling); // the load has begun: a new start ends it
  } else if (!isParsed) forget(element, name);
  return keys;
}

function holdElement(element: Element, isParsed: boolean): void {
  const type = getAttribute(element, "type") ?? "";
  for (const name of attributeNames(element)) keysHeld(element, name, getAttribute(element, name), isParsed);
  const isHeld = gatedAs(element);
  if (isHeld || (element.hasAttribute("data-consent") && (element.getRootNode() as ShadowRoot).host)) keep(element);
  const isScript = element.localName === "script";
  if (!isCode(element) || (isScript && !/^spec/.test(type) && !runs.test(type)) || type === "text/plain") return;
  const text = element.textContent;
  if (type === "importmap") readImportMap(text);
  // Firefox has taken the address by now, and looks at the type once more.
  const keys = isHeld ? (text || isParsed) && [] : (isScript && !/^(imp|spec)/.test(type) ? importVerdict : sheetVerdict)(text);
  if (!keys) return;
  hold(element, "type", type, keys, isParsed);
  setAttribute(element, "type", "text/plain"); // neither run nor applied
}

/** What may hold an address in its text. */
export const isCode = ({ localName }: Node & { localName?: string }) => /^(script|style)$/.test(localName as string);

const isFrame = ({ localName }: Element) => /^(i?frame|object)$/.test(localName);

/** What was made in this document has passed our hooks, up to its text; what comes from elsewhere has not. Tells whether there are frames in it. */
export function holdInserted(node: Element, into: Node): boolean {
  const { ownerDocument } = node;
  if (ownerDocument !== into.ownerDocument && ownerDocument !== into) holdTree(node);
  let hasFrames = false;
  const look = (element: Element) => {
    if (isCode(element)) holdElement(element, false);
    else if (element.nodeType === 1) holdStyle(element as HTMLElement);
    hasFrames ||= isFrame(element);
  };
  look(node);
  if (node.firstElementChild) for (const element of find(node, "script,style,[style],iframe,frame,object")) look(element);
  return hasFrames;
}

/** An element or a fragment with everything in it. */
export function holdTree(node: Node, isParsed = false): void {
  const { nodeType } = node;
  if (nodeType === 1) holdElement(node as Element, isParsed);
  if ((nodeType !== 1 && nodeType !== 11) || !node.firstChild) return;
  for (const element of find(node, loading)) holdElement(element, isParsed);
}

const find = (node: Node, selector: string) => (node.nodeType === 1 ? queryElement : queryFragment)(node, selector);

export function guardElements(realm: Realm): void {
  const { Element } = realm;
  const holds = (element: Element, name: unknown, value: unknown) => keysHeld(element, String(name).toLowerCase(), value);
  for (const interfaceName of Object.getOwnPropertyNames(realm))
    if (/^(HTML|SVG).*Element$/.test(interfaceName))
      for (const property of [...names, "href", "imageSrcset"]) {
        const owner = realm[interfaceName];
        guard(owner, property, (value, self) => holds(self, property, value));
        hook(owner, property, (go, self) => heldValue(self, property.toLowerCase()) ?? go());
      }
  guard(Element, "setAttribute", (name, self, [, value]) => holds(self, name, value));
  guard(Element, "setAttributeNS", (_space, self, [, name, value]) => holds(self, name, value));
  guard(realm.SVGAnimatedString, "baseVal", (value) => verdict(value), wait);
  for (const owner of [realm.Attr, realm.Node]) guard(owner, "value nodeValue textContent", (value, { ownerElement, name }) => ownerElement && holds(ownerElement, name, value));
  hook(Element, "getAttribute", (go, self, [name]) => heldValue(self, name) ?? go());
  hook(Element, "removeAttribute", (go, self, [name]) => (forget(self, name), go()));
  // A map does not tell whose attributes it has: what must wait goes in empty, and is looked at when it is in.
  const byNode = (go: () => unknown, _self: unknown, [node]: Args) => {
    const { name, value } = node as Attr;
    const isHeld = keysOfValue(name, value);
    if (isHeld) node.value = "";
    const result = go();
    if (isHeld) node.value = value;
    return result;
  };
  hook(Element, "setAttributeNode setAttributeNodeNS", byNode);
  hook(realm.NamedNodeMap, "setNamedItem setNamedItemNS", byNode);
}
