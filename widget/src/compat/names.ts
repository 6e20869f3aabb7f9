/** What the categories and services of other consent managers are called here. */
import { config } from "../config";

const names = new Map(Object.entries(config.compat?.names ?? {}));

/** Every name that the site knows: foreign ones and its own keys. */
export const knownNames = [...names.keys(), ...config.categories.flat()];

/** Our key for a foreign name; a name that nobody mapped may be one of our own keys, else it is never granted. */
export function ourKey(name: string): string {
  return names.get(name) ?? name;
}

/** Whether the site asked for a product's mark-up, by the name that the site file has for it. */
export function understands(product: string): boolean {
  return !!config.compat?.products.includes(product);
}
