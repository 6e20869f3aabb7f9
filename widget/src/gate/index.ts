/** The gate: with one tag and no change to the site, nothing runs, sends or stores before its service is granted. */
import { attempt } from "../scripts";
import { isGranted } from "../state";
import type { Realm } from "./builtins";
import { guardElements } from "./elements";
import { guardAims, guardLocation, guardPages } from "./frames";
import { openModules } from "./modules";
import { guardBlobs, guardRequests, guardSheets, guardXhr } from "./network";
import { guardItems } from "./storage";
import { guardInsertions, guardInsides, guardTree } from "./tree";
import { passed } from "./verdict";
import { runWaiting } from "./waiting";

const guards = [guardElements, guardInsertions, guardInsides, guardTree, guardRequests, guardXhr, guardBlobs, guardSheets, guardAims, guardItems, guardPages, guardLocation];

/** What every window gets, also that of a frame. */
export function guardRealm(realm: Realm): void {
  guards.forEach((guard) => attempt(() => guard(realm))); // where one fails the others still hold
}

/** First of all that our script does. */
export function openGate(): void {
  guardRealm(window);
  openModules();
}

/** After each change of what is granted. */
export function applyGate(): void {
  openModules();
  runWaiting();
}

/** False when code of a service that is now refused was let into this page. */
export function isCodeStopped(): boolean {
  return [...passed].every(isGranted);
}
