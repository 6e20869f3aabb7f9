/** What a content security policy of the page refused, as far as the browser tells; and whether our server can be asked. */

export interface Refusal {
  directive: string;
  address: string;
}

/** The browser tells of a refusal a little after the request has failed. */
const patience = 300; // ms

const refusals: Refusal[] = [];

function note(directive: string, address: string): void {
  if (!refusals.some((one) => one.directive === directive && one.address === address)) refusals.push({ directive, address });
}

interface ViolationReport {
  body: { effectiveDirective: string; blockedURL: string } | null;
}

interface Observer {
  new (seen: (reports: ViolationReport[]) => void, options: object): { observe(): void };
}

/** From the page's first moment where the browser keeps reports (Chromium, Safari), else from now on. */
export function watchPolicy(): void {
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => note(effectiveDirective, blockedURI));
  const { ReportingObserver } = window as { ReportingObserver?: Observer };
  if (!ReportingObserver) return;
  const seen = (reports: ViolationReport[]) => {
    for (const { body } of reports) if (body) note(body.effectiveDirective, body.blockedURL);
  };
  new ReportingObserver(seen, { buffered: true, types: ["csp-violation"] }).observe();
}

export const listRefusals = (): readonly Refusal[] => refusals;

/** Decisions go the same way; nothing is sent but the question. */
export async function canReachServer(): Promise<boolean> {
  try {
    return (await fetch(import.meta.url, { method: "HEAD", cache: "no-store", credentials: "omit" })).ok;
  } catch {
    await new Promise((done) => {
      document.addEventListener("securitypolicyviolation", done, { once: true });
      setTimeout(done, patience);
    });
    return false;
  }
}
