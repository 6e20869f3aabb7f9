/** `window.consent`: what the page's own code may ask and do. */
import { refuse } from "./actions";
import { config } from "./config";
import { decide } from "./decide";
import { gatedAs } from "./gate/held";
import { calls } from "./gate/waiting";
import { isAllowed } from "./hold";
import { base } from "./origin";
import { showPreferences } from "./preferences";
import { draw } from "./shell";
import { current, isDecided, publicGrants, type Grants } from "./state";

export interface ConsentApi {
  /** Every category and service that the visitor may run, true or false. */
  readonly grants: Grants;
  /** Whether the visitor has decided on everything that is asked now. */
  readonly decided: boolean;
  /** Resolves once the stored decision is known. */
  readonly ready: Promise<Grants>;
  /** Opens the preferences. */
  show(): void;
  /** Refuses everything optional. */
  withdraw(): void;
  /** Tells the owner what is held, what leaks and what to mark; its code is fetched only now. */
  diagnose(): Promise<unknown>;
  /** Calls back on each change, or once when ready; answers the function that ends it. */
  on(event: "change" | "ready", listener: (grants: Grants) => void): () => void;
}

/** Resolves `ready`. */
export let resolveReady: (grants: Grants) => void;

/** Publishes the interface. */
export function publishApi(): void {
  const api: ConsentApi = {
    get grants() {
      return publicGrants();
    },
    get decided() {
      return isDecided();
    },
    ready: new Promise((done) => (resolveReady = done)),
    show: () => draw(showPreferences),
    withdraw: () => decide(refuse(), "withdraw", "api"),
    diagnose: () => import(base + "/diagnose.js").then((its) => (GATE ? its.diagnose(config, current, isAllowed, gatedAs, calls) : its.diagnose(config, current, isAllowed))),
    on(event, listener) {
      const call = () => listener(publicGrants());
      if (event === "ready") void api.ready.then(call);
      else document.addEventListener("consent:change", call);
      return () => document.removeEventListener("consent:change", call);
    },
  };
  if (/consent-debug/.test(location.search)) void api.diagnose();
  (window as { consent?: ConsentApi }).consent = api;
}
