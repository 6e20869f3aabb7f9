/** Other consent managers: what shows that one is in the page, and how its mark-up is known. */

interface Manager {
  name: string;
  /** Names that its script gives the page. */
  globals: string[];
  /** Where its makers serve it from. */
  hosts: RegExp;
}

const managers: Manager[] = [
  { name: "Axeptio", globals: ["axeptioSDK"], hosts: /(^|\.)axept\.io$/ },
  { name: "Complianz", globals: ["complianz", "cmplz_cookie_data"], hosts: /^$/ },
  { name: "CookieYes", globals: ["getCkyConsent", "cookieyes"], hosts: /(^|\.)cookieyes\.com$|^cdn-cookieyes\.com$/ },
  { name: "Cookiebot", globals: ["Cookiebot", "CookieConsentDialog"], hosts: /(^|\.)cookiebot\.(com|eu)$/ },
  { name: "Didomi", globals: ["Didomi"], hosts: /(^|\.)privacy-center\.org$/ },
  { name: "Klaro", globals: ["klaro"], hosts: /(^|\.)klaro\.org$|(^|\.)kiprotect\.com$/ },
  { name: "OneTrust", globals: ["OneTrust", "OnetrustActiveGroups"], hosts: /(^|\.)cookielaw\.org$|(^|\.)onetrust\.com$/ },
  { name: "Orejime", globals: ["orejime", "Orejime"], hosts: /^$/ },
  { name: "Osano", globals: ["Osano"], hosts: /(^|\.)osano\.com$/ },
  { name: "Quantcast Choice", globals: [], hosts: /^cmp\.(quantcast|inmobi)\.com$/ },
  { name: "Termly", globals: ["Termly"], hosts: /(^|\.)termly\.io$/ },
  { name: "TrustArc", globals: ["truste"], hosts: /(^|\.)trustarc\.com$/ },
  { name: "Usercentrics", globals: ["UC_UI", "__ucCmp"], hosts: /(^|\.)usercentrics\.eu$/ },
  { name: "iubenda", globals: ["_iub"], hosts: /(^|\.)iubenda\.com$/ },
  { name: "tarteaucitron", globals: ["tarteaucitron"], hosts: /(^|\.)tarteaucitron\.io$/ },
  { name: "vanilla-cookieconsent", globals: ["CookieConsent"], hosts: /^$/ },
];

/** An element with such an id is a name of the window, too: only what a script made counts. */
function isMade(name: string): boolean {
  const found = (window as unknown as Record<string, unknown>)[name];
  if (typeof found !== "function" && (typeof found !== "object" || !found || found instanceof Node || found instanceof HTMLCollection)) return false;
  // Our own queue for pages that were made for tarteaucitron has no more than these.
  return name !== "tarteaucitron" || Object.keys(found).some((key) => !["job", "services", "user", "init"].includes(key));
}

const hostOf = (script: HTMLScriptElement) => {
  try {
    return new URL(script.src, document.baseURI).hostname;
  } catch {
    return "";
  }
};

/** Names of those that run in this page beside us. */
export function findManagers(): string[] {
  const hosts = [...document.querySelectorAll<HTMLScriptElement>("script[src]")].map(hostOf).filter(Boolean);
  return managers.filter((one) => one.globals.some(isMade) || hosts.some((host) => one.hosts.test(host))).map(({ name }) => name);
}

const markup: Record<string, string> = {
  cookiebot: "[data-cookieconsent]",
  onetrust: '[class*="optanon-category-"]',
  cookieyes: "[data-cookieyes]",
  "vanilla-cookieconsent": "[data-category]",
  klaro: "[data-name]",
  orejime: "[data-purpose],[data-name]",
  tarteaucitron: '[class*="_player"]',
};

/** The product whose mark-up an element was written in, of those that the site understands. */
export function heldBy(element: Element, products: string[]): string | undefined {
  return products.find((product) => element.matches(markup[product] ?? "consent-none"));
}

/** Elements in the mark-up of products that the site does not understand. */
export function foreignMarkup(products: string[]): [product: string, elements: Element[]][] {
  const sure = ["cookiebot", "onetrust", "cookieyes"]; // the other attributes are used for much else
  return sure
    .filter((product) => !products.includes(product))
    .map((product): [string, Element[]] => [product, [...document.querySelectorAll(`:is(${markup[product]}):not([data-consent])`)]])
    .filter(([, elements]) => elements.length);
}
