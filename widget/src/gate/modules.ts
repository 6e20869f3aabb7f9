/** What modules of the page itself import: no function of ours is asked, but an import map is. */
import { make } from "../element";
import { base, nonce } from "../origin";
import { attempt } from "../scripts";
import { isGranted } from "../state";
import { append, isFirefox, trust } from "./builtins";
import { originOf, own, patterns } from "./verdict";

type Map = Record<string, string>;

/** Where a second map is added to the page's own and does not take its place: Chromium 133 and Safari 18.4, both with their first `pause`. Old Safaris hide `Atomics`. */
const canAdd = (window.Atomics as { pause?: unknown } | undefined)?.pause && !isFirefox;
const nowhere = "about:/"; // no address can be made of it, so the import fails

let isClosed = false;

function addMap(map: object): void {
  attempt(() => {
    const script = make("script", { type: "importmap" });
    script.nonce = nonce;
    script.text = trust("createScript", JSON.stringify(map));
    append(document.head, script); // unseen by our own hooks
    script.remove();
  });
}

/** Closes what is not granted for the page's own modules, and opens again what now is. */
export function openModules(): void {
  if (!canAdd) return;
  const home = location.origin + "/";
  const open: Map = {};
  const closed: Map = {};
  // No map can say `*` or tell a path from its host.
  const isVague = (pattern: string) => /[*/]/.test(pattern);
  const pass = (address: string) => (open[address] = address);
  for (const [pattern, key] of patterns) {
    const address = `https://${pattern}/`;
    if (!isVague(pattern)) isGranted(key) ? pass(address) : (closed[address] = nowhere);
  }
  const scopes = (map: Map) => ({ [home]: map, ["blob:" + home]: map });
  if (isClosed) {
    const opened: Record<string, Map> = scopes(open);
    for (const scope in open) opened[scope] = open;
    addMap({ scopes: opened });
  } else if (STRICT && own && !own.some(isVague) && !patterns.some(([pattern, key]) => isVague(pattern) && isGranted(key))) {
    // Only here, so that what services import themselves is theirs once they run. A longer address counts first.
    for (const host of own) {
      pass(`http://${host}/`);
      pass(`https://${host}/`);
    }
    pass(home);
    pass(originOf(base) + "/");
    addMap({ scopes: scopes({ "https://": nowhere, "http://": nowhere, ...open }) });
  } else addMap({ imports: closed });
  isClosed = true;
}
