/** Objects that are made when the service is granted; until then a stand-in keeps every call. */
import { construct, defineProperty, getOwnPropertyDescriptor, type Args } from "./builtins";
import { later } from "./waiting";

type Made = EventTarget & Record<string, unknown>;

/** What the native object is asked before there is one. */
const early: Record<string, unknown> = { readyState: 0, url: "", result: null, error: null };

/** Of the native kind, and from the grant on a mirror of a native object; refused, it fails as a lost line does. */
export function standIn({ prototype }: { prototype: object }, keys: string[], make: () => unknown): object {
  const mock = Object.setPrototypeOf(new EventTarget(), prototype) as Made;
  const events: string[] = [];
  const kept: (() => void)[] = [];
  let real: Made | undefined;
  const methodOf = (name: string) => (...args: Args) => {
    const call = () => (real?.[name] as (...args: Args) => unknown)(...args);
    return real ? call() : void kept.push(call);
  };
  for (let level = prototype; "constructor" in level && level !== EventTarget.prototype && level !== Object.prototype; level = Object.getPrototypeOf(level) as object)
    for (const name of Object.getOwnPropertyNames(level)) {
      const { value, get } = getOwnPropertyDescriptor(level, name) as PropertyDescriptor;
      if (/^on/.test(name)) events.push(name.slice(2));
      else if (typeof value === "function" && name !== "constructor") defineProperty(mock, name, { configurable: true, writable: true, value: methodOf(name) });
      else if (get) mirror(name);
    }
  function mirror(name: string): void {
    let given = name === "port" ? bridge() : early[name];
    const set = (value: unknown) => {
      given = value;
      kept.push(() => ((real as Made)[name] = value));
      if (real) flush();
    };
    defineProperty(mock, name, { configurable: true, get: () => (real && name !== "port" ? real[name] : given), set });
  }
  /** A shared worker's port may be used at once: what is said waits in the channel. */
  function bridge(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    kept.push(() => {
      const port = real?.port as MessagePort;
      port2.onmessage = ({ data }) => port.postMessage(data);
      port.onmessage = ({ data }) => port2.postMessage(data);
    });
    return port1;
  }
  const flush = () => kept.splice(0).forEach((call) => call());
  for (const type of events) defineProperty(mock, "on" + type, { configurable: true, writable: true, value: null });
  const tell = (event: Event) => {
    (mock["on" + event.type] as ((event: Event) => void) | null)?.call(mock, event);
    mock.dispatchEvent(event);
  };
  const start = () => {
    real = make() as Made;
    for (const type of events) real.addEventListener(type, (event) => tell(construct(event.constructor as new () => Event, [type, event] as never) as Event));
    flush();
  };
  later(keys, start, () => tell(new Event("error")));
  return mock;
}
