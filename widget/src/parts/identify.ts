/** Lets the decision follow a visitor who signs in: `consent.identify(claim)`, where the site's server signed the claim. */
import { keepAnswered, type Receipt } from "../answered";
import type { Kit } from "../kit";

declare const kit: Kit;

/** What the site's server writes into the page of who is signed in. */
interface Claim {
  ref: string;
  /** Unix seconds. */
  expires: number;
  signature: string;
}

interface Identified {
  subject_id: string;
  /** The decision in this browser is that of another person. */
  ask_again: boolean;
  receipt: Receipt | null;
}

const { config, base } = kit;

/** The next person at this browser is asked anew. */
function forget(): void {
  document.cookie = `consent_${config.site}=;max-age=0;path=/` + (config.domain ? ";domain=" + config.domain : "");
  location.reload();
}

async function identify({ ref, expires, signature }: Claim): Promise<void> {
  const known = kit.current();
  const response = await fetch(base + "/identify", {
    method: "POST",
    body: JSON.stringify({ ref, expires, signature, ...(known && { subject_id: known.subject_id, known_at: known.decided_at }) }),
    headers: { "content-type": "application/json" },
    credentials: "include",
  });
  const answer = (await response.json()) as Identified;
  if (!response.ok) throw answer;
  const { subject_id, receipt } = answer;
  if (answer.ask_again) forget();
  else if (receipt) keepAnswered(kit, subject_id, receipt);
}

Object.assign((window as { consent?: object }).consent as object, { identify });
