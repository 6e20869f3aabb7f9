/** The gate: with one tag and no change to the site, nothing runs, sends or stores before its service is granted. */
import { isGranted } from "../state";
import type { Realm } from "./builtins";
import { guardElements } from "./elements";
import { guardAims } from "./frames";
import { openModules } from "./modules";
import { guardNetwork } from "./network";
import { guardItems } from "./storage";
import { guardTree } from "./tree";
import { passed } from "./verdict";
import { runWaiting } from "./waiting";

function guardRealm(realm: Realm): void {
  for (const guard of [guardElements, guardTree, guardNetwork, guardAims, guardItems])
    try {
      guard(realm, guardRealm);
    } catch (error) {
      console.error("consent:", error); // the others still hold
    }
}

/** First of all that our script does. */
export function openGate(): void {
  guardRealm(window);
}

/** After each change of what is granted. */
export function applyGate(): void {
  openModules();
  runWaiting();
}

/** False when code of a service that is now refused was let into this page. */
export const isCodeStopped = () => [...passed].every(isGranted);
