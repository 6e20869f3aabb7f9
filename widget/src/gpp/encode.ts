/** Writes a section, and the string that holds at most one: a visitor is in one place. */
import { base64, fibonacci, int } from "./bits";
import { sections, type Section } from "./sections";

export type Value = number | number[];
/** One object for each part of a section: its core, then GPC where it has a place for it. */
export type Parsed = Record<string, Value | boolean>[];

/** Only the version is longer than two bits, and stands first. */
const write = (value: Value, index: number) => [value].flat().map((one) => int(one, index ? 2 : 6)).join("");

/** `valueOf` says what each field holds; a list has as many values as there is room for. */
export function parse({ fields, hasGpc }: Section, valueOf: (field: string) => number, gpc: boolean): Parsed {
  const core: Record<string, Value> = {};
  for (const field of fields.split(" ")) {
    const [name, count] = field.split("*") as [string, string?];
    core[name] = count ? Array<number>(+count).fill(valueOf(name)) : valueOf(name);
  }
  return hasGpc ? [core, { SubsectionType: 1, Gpc: gpc }] : [core];
}

const encodeCore = (core: Record<string, unknown>) => base64(Object.values(core as Record<string, Value>).map(write).join(""));

/** Sub-section type 1 in two bits, then GPC in one. */
const encodeGpc = (gpc: unknown) => base64("01" + (gpc ? 1 : 0));

/** Type 3 and version 1, how many sections, and each as a single one by its distance from the last. */
export const encodeHeader = (id?: number) => base64(int(3, 6) + int(1, 6) + int(id ? 1 : 0, 12) + (id ? "0" + fibonacci(id) : ""));

/** The whole string with this section, or with none. */
export function encode(name?: string, parsed?: Parsed): string {
  const section = name && sections.get(name);
  if (!section || !parsed) return encodeHeader();
  const [core = {}, ...gpc] = parsed;
  return `${encodeHeader(section.id)}~${[encodeCore(core), ...gpc.map((one) => encodeGpc(one.Gpc))].join(".")}`;
}
