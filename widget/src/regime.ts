/** Where something runs before the visitor said so: other buttons, and a notice that can be closed. Travels with such regimes only. */
import { config } from "./config";
import { button } from "./element";
import { language } from "./language";
import { isDecided } from "./state";
import { signal } from "./signals";

/** The labels in the order in which the server lists them (consent_server/regime_texts.py). */
enum Said {
  opt_out,
  limit_use,
  object,
  close,
}

type Action = keyof typeof Said;

/** No identifier: the version that was told of, so that the next material change is told again. */
const key = `consent_${config.site}_told`;
const told = `${config.material}`;
let isClosed = false;

/** Whether the visitor is asked nothing: most runs already, and it can be switched off. */
export const isOnlyTold = () => config.regime?.name !== "exempt_analytics";

/** Whether the notice has been read; a signal has answered it. */
function wasTold(): boolean {
  try {
    isClosed ||= localStorage.getItem(key) === told;
  } catch {
    // it is told again on the next page
  }
  return isClosed || !!signal || config.regime?.name === "off";
}

export function rememberTold(): void {
  isClosed = true;
  try {
    localStorage.setItem(key, told);
  } catch {
    // it is told again on the next page
  }
}

/** Whether there is nothing to ask or to tell. */
export function isSettled(): boolean {
  return isDecided() || (isOnlyTold() && wasTold());
}

/** The buttons that this regime and this site have, of these; a label that is empty is a button that is not there. */
export function makeChoices(look: string, ...actions: Action[]): HTMLElement[] {
  const labels = config.regime?.said[language] as string[];
  return actions.flatMap((action) => (labels[Said[action]] ? button(action, labels[Said[action]] as string, look) : []));
}

/** California's icon for opting out (11 CCR 7015), drawn anew. */
export function makeIcon(): SVGElement {
  const draw = (tag: string, attributes: Record<string, string>, ...children: SVGElement[]) => {
    const drawn = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const name in attributes) drawn.setAttribute(name, attributes[name] as string);
    drawn.append(...children);
    return drawn as SVGElement;
  };
  return draw(
    "svg",
    { viewBox: "0 0 30 14", "aria-hidden": "true" },
    draw("path", { d: "M7 .5h16a6.5 6.5 0 0 1 0 13H7a6.5 6.5 0 0 1 0-13z" }),
    draw("path", { d: "M18 .5h5a6.5 6.5 0 0 1 0 13h-9z" }),
    draw("path", { d: "M6 7.5L8.5 10L12.5 4" }),
    draw("path", { d: "M19.5 4.5L24.5 9.5M24.5 4.5L19.5 9.5" }),
  );
}
