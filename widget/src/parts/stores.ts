/** Cleans the kinds of storage that few services use. */
import type { Kit } from "../kit";

declare const kit: Kit;

kit.stores.push(
  ["s", () => Object.keys(sessionStorage), (name) => sessionStorage.removeItem(name)],
  ["i", async () => (await indexedDB.databases()).map(({ name }) => name as string), (name) => indexedDB.deleteDatabase(name)],
  ["k", () => caches.keys(), (name) => caches.delete(name)],
);
