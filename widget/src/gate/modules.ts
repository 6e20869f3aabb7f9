/** What modules of the page itself import: no function of ours is asked, but an import map is. */
import { base, nonce } from "../origin";
import { attempt } from "../scripts";
import { isGranted } from "../state";
import { append, isFirefox, trust } from "./builtins";
import { own, patterns } from "./verdict";

type Map = Record<string, string>;

/** Where a second map is added to the page's own and does not take its place: Chromium 133 and Safari 18.4, both with their first `pause`. Old Safaris hide `Atomics`. */
const canAdd = (window.Atomics as { pause?: unknown } | undefined)?.pause && !isFirefox;
const nowhere = "about:/"; // no address can be made of it, so the import fails

let isClosed = false;

function addMap(map: object): void {
  const script = document.createElement("script");
  script.type = "importmap";
  script.nonce = nonce;
  script.text = trust("createScript", JSON.stringify(map));
  append(document.head, script); // unseen by our own hooks
  script.remove();
}

/** Closes what is not granted for the page's own modules, and opens again what now is. */
export function openModules(): void {
  if (!canAdd) return;
  const home = location.origin + "/";
  const ours = new URL(base, home).origin + "/";
  const open: Map = {};
  const closed: Map = {};
  // No map can say `*` or tell a path from its host.
  const isVague = (pattern: string) => /[*/]/.test(pattern);
  for (const [pattern, key] of patterns) if (!isVague(pattern)) (isGranted(key) ? open : closed)[`https://${pattern}/`] = nowhere;
  for (const address in open) open[address] = address;
  const scopes = (map: Map) => ({ [home]: map, ["blob:" + home]: map });
  if (isClosed) attempt(() => addMap({ scopes: { ...scopes(open), ...Object.fromEntries(Object.keys(open).map((scope) => [scope, open])) } }));
  else if (own && !own.some(isVague) && !patterns.some(([pattern, key]) => isVague(pattern) && isGranted(key))) {
    // Only here, so that what services import themselves is theirs once they run. A longer address counts first.
    for (const host of own) for (const scheme of ["http", "https"]) open[`${scheme}://${host}/`] = `${scheme}://${host}/`;
    attempt(() => addMap({ scopes: scopes({ "https://": nowhere, "http://": nowhere, [home]: home, [ours]: ours, ...open }) }));
  } else attempt(() => addMap({ imports: closed }));
  isClosed = true;
}
