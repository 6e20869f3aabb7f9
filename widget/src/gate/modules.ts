/** What modules of the page itself import: no function of ours is asked, but an import map is. */
import { base, nonce } from "../origin";
import { attempt } from "../scripts";
import { isGranted } from "../state";
import { append, isFirefox, trust } from "./builtins";
import { own, patterns } from "./verdict";

type Map = Record<string, string>;

/** Where a second map is added to the page's own and does not take its place: Chromium since 133, which can move nodes as well. */
const canAdd = "moveBefore" in Element.prototype && !isFirefox;
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

/** Closes what is not granted; opens again what now is, for the page's own modules and those of the services. */
export function openModules(): void {
  if (!canAdd) return;
  const open: Map = {};
  const closed: Map = {};
  for (const [pattern, key] of patterns) if (!/[*/]/.test(pattern)) (isGranted(key) ? open : closed)[`https://${pattern}/`] = nowhere;
  for (const address in open) open[address] = address;
  const home = location.origin + "/";
  const ours = new URL(base, home).origin + "/";
  if (isClosed) attempt(() => addMap({ scopes: Object.fromEntries([home, "blob:" + home, ...Object.keys(open)].map((scope) => [scope, open])) }));
  else {
    isClosed = true;
    if (own && !/\*/.test(own.join())) {
      closed["https://"] = closed["http://"] = nowhere;
      for (const host of own) for (const scheme of ["http", "https"]) open[`${scheme}://${host}/`] = `${scheme}://${host}/`;
      open[home] = home;
      open[ours] = ours;
    }
    attempt(() => addMap({ imports: { ...closed, ...open } }));
  }
}
