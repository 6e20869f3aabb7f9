/** Tells the owner what is held and by which rule, what leaked and what to mark; visitors never load this. */
import type { WidgetConfig } from "../config";
import type { Decision } from "../state";
import { runChecks } from "./checks";
import { listHeld, listReleased } from "./held";
import { readLeaks } from "./leaks";
import { openPanel } from "./panel";
import { watchPolicy } from "./policy";
import { printReport } from "./print";
import { page, type Core, type Report } from "./report";
import { readStored } from "./stored";
import { chooseLanguage } from "./texts";

watchPolicy();

function levelOf({ gate }: WidgetConfig): Report["level"] {
  if (!gate) return "declared";
  return gate.allowed === undefined ? "gate" : "strict";
}

function describeDecision({ current }: Core): Report["decision"] {
  const { grants, decided } = page.consent;
  const asked = !!document.querySelector("consent-notice")?.shadowRoot?.querySelector(".notice");
  return { decided, asked, ...(current && { version: current.version, decided_at: current.decided_at }), grants };
}

async function makeReport(core: Core): Promise<Report> {
  const { config } = core;
  const level = levelOf(config);
  const stored = await readStored();
  const checks = await runChecks(core, level);
  return {
    format: 1,
    page: location.origin + location.pathname,
    time: new Date().toISOString(),
    site: config.site,
    version: config.version,
    script: config.script,
    ...(config.script === FACTS.script && { script_hash: FACTS.script_hash }),
    published_version: FACTS.version,
    level,
    compatible: config.compat?.products ?? [],
    decision: describeDecision(core),
    checks,
    ...readLeaks(core, level, stored.leaked),
    held: listHeld(core),
    ...(core.calls && { waiting_calls: core.calls.map(([keys]) => keys.join(" | ")) }),
    released: listReleased(core),
    unknown_items: stored.unknown_items,
  };
}

/** The page must have been read: until then every list is too short. */
function pageLoaded(): Promise<unknown> {
  return document.readyState === "complete" ? Promise.resolve() : new Promise((done) => addEventListener("load", done, { once: true }));
}

const isPanelAsked = () => new URLSearchParams(location.search).has("consent-debug");

/** The panel asks for a new report; the console has one already. */
let isQuiet = false;

async function lookAgain(): Promise<void> {
  isQuiet = true;
  await page.consent.diagnose().finally(() => (isQuiet = false));
}

/** Called by the core of the script: what it knows, and of the gate which elements it holds and which calls wait. */
export async function diagnose(
  config: WidgetConfig,
  current: Decision | undefined,
  isAllowed: (element: Element) => boolean,
  heldOf?: (element: Element) => unknown,
  calls?: Core["calls"],
): Promise<Report> {
  await page.consent.ready;
  await pageLoaded();
  chooseLanguage();
  const isGated = (element: Element) => !!heldOf?.(element);
  const report = await makeReport({ config, current, isAllowed, isGated, calls });
  if (!isQuiet) printReport(report);
  if (isPanelAsked()) openPanel(report, () => void lookAgain());
  return report;
}
