/** What runs unasked in one regime is no consent where consent is asked: how a decision that holds some of it is told (consent_server/rules/unasked.py). */
import type { Grants } from "./state";

/** Refused keys of the cookie that are no category's and no service's. */
export enum Mark {
  /** Not all that is granted was asked for. */
  asked = "asked",
  /** Nothing of it was. */
  any = "asked-any",
}

/** Marks what was decided where something runs unasked; whoever accepted all has said so, and who refused all, too. */
export function markUnasked(grants: Grants, method: string, regime: string): Grants {
  if (regime !== "opt_in" && method !== "accept_all" && Object.values(grants).includes(true)) {
    grants[Mark.asked] = false;
    if (regime !== "exempt_analytics") grants[Mark.any] = false;
  }
  return grants;
}
