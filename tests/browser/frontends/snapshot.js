// The page as it stands: open shadow roots and frames of the same origin included, ourselves left out.
() => {
  const isOurs = (node) => node.localName === "consent-notice" || (node.localName === "script" && /\/w\/[^/]*\.js$/.test(node.src));
  const attributes = (element) =>
    [...element.attributes]
      .map(({ name, value }) => ` ${name}="${value}"`)
      .sort()
      .join("");
  const written = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data.trim();
    if (node.nodeType === Node.COMMENT_NODE) return `<!--${node.data.replace(/lit\$\d+\$/g, "lit$")}-->`;
    if (!("childNodes" in node) || isOurs(node)) return "";
    const content = node.localName === "template" ? node.content : node;
    const inside = [...(node.shadowRoot?.childNodes ?? []), ...content.childNodes];
    if (node.localName === "iframe") inside.push(...(node.contentDocument?.childNodes ?? []));
    const shown = inside.map(written).filter(Boolean).join("\n");
    if (!node.localName) return shown;
    const state = "value" in node ? ` [${node.value}${node.checked ? " checked" : ""}]` : "";
    const picture = node.localName === "canvas" ? ` ${node.toDataURL()}` : "";
    return `<${node.localName}${attributes(node)}>${state}${picture}\n${shown}`;
  };
  return document.title + "\n" + location.pathname + location.search + "\n" + written(document);
}
