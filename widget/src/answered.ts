/** A decision that the server's answer brings to this page: for parts. */
import type { Kit } from "./kit";
import type { Decision, Grants } from "./state";
import { markUnasked } from "./unasked";

/** What the server answers of a record. */
export interface Receipt {
  version: number;
  method: string;
  regime: string;
  decided_at: string;
  grants: Grants;
}

const sayWhose = ({ subject_id, decided_at }: Decision) => subject_id + Math.floor(Date.parse(decided_at) / 1000);

/** What the answer set over HTTP lives longer in Safari than what a script writes: that is written only where nothing was set. */
export function keepAnswered(kit: Kit, subject_id: string, { version, method, regime, decided_at, grants }: Receipt): void {
  const decision = { version, subject_id, decided_at, grants: markUnasked(grants, method, regime) };
  kit.catchUp();
  const known = kit.current();
  if (known && sayWhose(known) === sayWhose(decision)) return;
  kit.writeDecision(decision);
  kit.catchUp();
}
