/** `window.consent`: what the page's own code may ask and do. */
import { config } from "./config";
import { decide, publicGrants } from "./decide";
import { showPreferences } from "./preferences";
import { draw } from "./shell";
import { grantsWhere, isDecided, type Grants } from "./state";

export interface ConsentApi {
  /** Every category and service that the visitor may run, true or false. */
  readonly grants: Grants;
  /** Number of the site version that this script shows. */
  readonly version: number;
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

function listen(event: "change" | "ready", listener: (grants: Grants) => void, ready: Promise<Grants>): () => void {
  let isOn = true;
  const call = () => {
    if (isOn) listener(publicGrants());
  };
  if (event === "ready") void ready.then(call);
  else document.addEventListener("consent:" + event, call);
  return () => {
    isOn = false;
    document.removeEventListener("consent:" + event, call);
  };
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
    version: config.version,
    ready,
    show: () => draw(() => showPreferences()),
    withdraw: () => decide(grantsWhere(() => false), "withdraw", "api"),
    on: (event, listener) => listen(event, listener, ready),
  };
  (window as { consent?: ConsentApi }).consent = api;
  return () => resolve(publicGrants());
}
