/** Objects that are made when the service is granted; until then a stand-in keeps every call. */
import { apply } from "./builtins";
import { later } from "./waiting";

type Made = Record<string, unknown>;

/** A shared worker's port may be used at once: what is said waits in the channel. */
function bridge(kept: ((real: Made) => unknown)[]): MessagePort {
  const { port1, port2 } = new MessageChannel();
  kept.push(({ port }) => {
    const far = port as MessagePort;
    port2.onmessage = ({ data }) => far.postMessage(data);
    far.onmessage = ({ data }) => port2.postMessage(data);
  });
  return port1;
}

/** Of the native kind: listeners and calls reach the native object once there is one; refused, it fails as a lost line does. */
export function standIn({ prototype }: { prototype: object }, keys: string[], make: () => unknown): object {
  const kept: ((real: Made) => unknown)[] = [];
  const own: Made = { readyState: 0, result: null };
  if ("port" in prototype) own.port = bridge(kept);
  let real: Made | undefined;
  const start = () => {
    real = make() as Made;
    for (const call of kept) call(real);
  };
  later(keys, start, () => apply((own.onerror as () => void) ?? Object, own, [new Event("error")] as never));
  return new Proxy(Object.create(prototype) as Made, {
    get(_target, name: string) {
      const value = name === "port" ? own.port : real ? real[name] : own[name];
      if (typeof value === "function" && real) return value.bind(real);
      if (value !== undefined || real || !/^(send|close|post|term|add|remove|dispatch)/.test(name)) return value;
      return (...args: never[]) => void kept.push((made) => apply(made[name] as () => void, made, args));
    },
    set(_target, name: string, value) {
      own[name] = value;
      const assign = (made: Made) => (made[name] = value as unknown);
      if (real) assign(real);
      else kept.push(assign);
      return true;
    },
  });
}
