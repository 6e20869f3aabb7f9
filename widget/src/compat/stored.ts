/** What the visitor told another consent manager, read once from its cookie: only what is said plainly counts. */
import { config } from "../config";
import { expireCookie } from "../clean";
import { visibleCookies } from "../cookie";
import { grantsWhere, type Grants } from "../state";
import { knownNames, ourKey, understands } from "./names";

/** What was read, so that it is taken over once. */
const read: string[] = [];
export const forgetForeign = () => read.forEach(expireCookie);

function cookieNamed(name: string): string | undefined {
  read.push(name);
  const pair = visibleCookies().find((one) => one.startsWith(name + "="));
  return pair && decodeURIComponent(pair.slice(name.length + 1));
}

/** Every `name:word` of a text in which the word is one of these two. */
function pairsIn(text: string, form: RegExp, yes: string): Grants {
  return Object.fromEntries([...text.matchAll(form)].map(([, name, word]) => [name, word === yes]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && !!value;
}

/** A JSON object of nothing but true and false. */
function booleansIn(text: string | undefined): Grants | undefined {
  const found: unknown = text && JSON.parse(text);
  return isObject(found) && Object.values(found).every((one) => typeof one === "boolean") ? (found as Grants) : undefined;
}

const readers: Record<string, () => Grants | undefined> = {
  cookiebot() {
    const text = cookieNamed("CookieConsent");
    // "implied" is what it writes when nobody was asked.
    return text?.includes("method:'explicit'") ? pairsIn(text, /(\w+):(true|false)/g, "true") : undefined;
  },
  onetrust() {
    const groups = new URLSearchParams(cookieNamed("OptanonConsent")).get("groups");
    // The groups stand there before the visitor answers, too; the other cookie comes with the answer.
    return groups && cookieNamed("OptanonAlertBoxClosed") ? pairsIn(groups, /(\w+):([01])/g, "1") : undefined;
  },
  cookieyes() {
    const text = cookieNamed("cookieyes-consent");
    return text && /(^|,)action:yes(,|$)/.test(text) ? pairsIn(text, /(\w+):(yes|no)/g, "yes") : undefined;
  },
  "vanilla-cookieconsent"() {
    const text = cookieNamed("cc_cookie");
    const found: unknown = text && JSON.parse(text);
    if (!isObject(found) || !Array.isArray(found.categories) || !found.consentTimestamp) return undefined;
    const { categories } = found;
    const services = isObject(found.services) ? found.services : {};
    const told = Object.fromEntries(knownNames.map((name) => [name, false]));
    for (const category of categories as string[]) {
      const chosen = services[category];
      // Of a category with services only those that stand there were accepted, perhaps not all.
      if (Array.isArray(chosen) && chosen.length) for (const name of chosen) told[name] = true;
      else told[category] = true;
    }
    return told;
  },
  klaro: () => booleansIn(cookieNamed("klaro")),
  orejime: () => booleansIn(cookieNamed("eu-consent") ?? cookieNamed("orejime")),
  tarteaucitron() {
    const text = cookieNamed("tarteaucitron");
    return text ? pairsIn(text, /!([\w-]+)=(true|false)/g, "true") : undefined;
  },
};

/** A service is granted when all that was said of itself is yes, or, where nothing was, of its category. */
function grantsFrom(told: Grants): Grants | undefined {
  const answersFor = (key: string) => Object.keys(told).flatMap((name) => (ourKey(name) === key ? [told[name]] : []));
  const categoryOf = (key: string) => config.categories.find((all) => all.includes(key))?.[0] ?? key;
  const answers = (key: string) => [answersFor(key), answersFor(categoryOf(key))].find((found) => found.length) ?? [];
  const isYes = (key: string) => !!answers(key).length && answers(key).every(Boolean);
  const isTold = (key: string) => !!answers(key).length;
  return Object.values(grantsWhere(isTold)).includes(true) ? grantsWhere(isYes) : undefined;
}

/** The grants that the visitor's earlier decision amounts to; nothing where there is none, or two that differ. */
export function readForeignDecision(): Grants | undefined {
  if (!config.compat?.imports) return undefined;
  const found = Object.keys(readers).flatMap((product): Grants[] => {
    try {
      const told = understands(product) ? readers[product]?.() : undefined;
      const grants = told && grantsFrom(told);
      return grants ? [grants] : [];
    } catch {
      return [];
    }
  });
  return found.every((one) => JSON.stringify(one) === JSON.stringify(found[0])) ? found[0] : undefined;
}
