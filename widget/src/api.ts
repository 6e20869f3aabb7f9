/** `window.consent`: what the page's own code may ask and do. */
import { refuse } from "./actions";
import { decide } from "./decide";
import { showPreferences } from "./preferences";
import { draw } from "./shell";
import { isDecided, publicGrants, type Grants } from "./state";

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
  /** Calls back on each change, or once when ready; answers the function that ends it. */
  on(event: "change" | "ready", listener: (grants: Grants) => void): () => void;
}

/** Publishes the interface; the answer resolves `ready`. */
export function publishApi(): () => void {
  let resolve: (grants: Grants) => void;
  const ready = new Promise<Grants>((done) => (resolve = done));
  const api: ConsentApi = {
    get grants() {
      return publicGrants();
    },
    get decided() {
      return isDecided();
    },
    ready,
    show: () => draw(showPreferences),
    withdraw: () => decide(refuse(), "withdraw", "api"),
    on(event, listener) {
      const call = () => listener(publicGrants());
      if (event === "ready") void ready.then(call);
      else document.addEventListener("consent:change", call);
      return () => document.removeEventListener("consent:change", call);
    },
  };
  (window as { consent?: ConsentApi }).consent = api;
  return () => resolve(publicGrants());
}
