/** tarteaucitron's queue: pages go on filling it; services that the page itself describes run once granted. */
import { isGranted } from "../state";
import { ourKey, understands } from "./names";

interface Described {
  js?(): void;
}

interface Tarteaucitron {
  job: string[];
  services: Record<string, Described | undefined>;
  user: Record<string, unknown>;
  init(): void;
}

const page = window as { tarteaucitron?: Tarteaucitron };
const started = new Set<string>();

/** Before the page's own code, which would stop at a name that is not there. */
export function openJobs(): void {
  if (understands("tarteaucitron")) page.tarteaucitron ??= { job: [], services: {}, user: {}, init() {} };
}

/** Its ready-made services are code of tarteaucitron's own, which is not here: they stay silent. */
export function runJobs(): void {
  for (const name of page.tarteaucitron?.job ?? []) {
    const service = page.tarteaucitron?.services[name];
    if (started.has(name) || !service?.js || !isGranted(ourKey(name))) continue;
    started.add(name);
    service.js();
  }
}

/** False when one ran that is not granted any more: only a reload can stop it. */
export function areJobsGranted(): boolean {
  return [...started].every((name) => isGranted(ourKey(name)));
}
