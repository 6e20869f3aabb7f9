/** Objects that are made when the service is granted; until then a stand-in keeps every call. */
import { getOwnPropertyDescriptor, type Realm } from "./builtins";
import { later } from "./waiting";

type Made = Record<string, unknown>;

/** Of the native kind: listeners and calls reach the native object once there is one; refused, it fails as a lost line does. */
export function standIn(keys: string[], make: () => unknown, { prototype }: { prototype: object }): object {
  const own: Made = { readyState: 0, result: null };
  const kept: (() => unknown)[] = [];
  let real: Made | undefined;
  const start = () => {
    real = make() as Made;
    for (const call of kept) call();
  };
  later(keys, start, () => (own.onerror as ((event: Event) => void) | undefined)?.(new Event("error")));
  /** The object itself, or the port of a shared worker, which may be used at once. */
  const record = (kind: object, find: () => Made | undefined, known: Made): object =>
    new Proxy(Object.create(kind) as Made, {
      get(_target, name: string) {
        const made = find();
        const value = (made ?? known)[name];
        if (made || name in known) return (made && (value as Realm)?.bind?.(made)) ?? value;
        if (name === "port") return (own.port = record(MessagePort.prototype, () => real?.port as Made, {}));
        if (/^(send|close|post|start|term|add|remove|dispatch)/.test(String(name)))
          return (...args: never[]) => void kept.push(() => (find() as Realm)[name](...args));
        return getOwnPropertyDescriptor(kind, name)?.value as unknown;
      },
      set(_target, name: string, value) {
        known[name] = value;
        const assign = () => ((find() as Made)[name] = value as unknown);
        if (find()) assign();
        else kept.push(assign);
        return true;
      },
    });
  return record(prototype, () => real, own);
}
