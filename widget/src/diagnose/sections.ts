/** The report in words: the same lines for the console and for the panel. */
import type { Fix, HeldElement, Leak, Report } from "./report";
import { fill, language, word } from "./texts";

export interface Line {
  /** A word before the text, and how it looks. */
  mark?: string;
  look?: string;
  text: string;
  details: string[];
  /** To be copied. */
  code: string[];
}

export interface Section {
  name: string;
  lines: Line[];
  /** Whether it is about something that the owner should do. */
  isUrgent: boolean;
}

const line = (text: string, details: string[] = [], code: string[] = []): Line => ({ text, details, code });

/** What holds now, in sentences. */
export function summarise({ decision, level, site, version, script, script_hash, compatible }: Report): string[] {
  const { decided, asked, decided_at, grants } = decision;
  const granted = Object.keys(grants).filter((key) => grants[key]);
  const date = decided_at ? new Date(decided_at).toLocaleString(language) : "";
  return [
    fill("running", { site, version: `${version}`, script }),
    ...(script_hash ? [`SHA-256: ${script_hash}`] : []),
    word("level_" + level),
    ...(compatible.length ? [fill("compatible", { products: compatible.join(", ") })] : []),
    decided ? fill("decided", { date }) : word(asked ? "asked" : "not_asked"),
    fill("granted", { keys: granted.join(", ") || "–" }),
  ];
}

function leakLine({ kind, name, services, pattern, in_site, before_decision, element }: Leak): Line {
  const details = [
    fill("belongs_to", { service: services.join(", "), pattern }),
    ...(in_site ? [] : [word("not_in_site")]),
    ...(before_decision ? [word("before_decision")] : []),
    ...(element === undefined ? [] : [element]),
  ];
  return { mark: word("kind_" + kind), ...line(name, details) };
}

function fixLine({ service, element, markup, site_file }: Fix): Line {
  const code = [...(markup === undefined ? [] : [markup]), ...(site_file === undefined ? [] : [site_file])];
  const details = [...(element === undefined ? [] : [element]), ...(site_file === undefined ? [] : [word("add_service")])];
  return line(fill(markup === undefined ? "fix_script" : "fix_markup", { service }), details, code);
}

function heldLine({ element, condition, waits_for, rule, because = "", address }: HeldElement): Line {
  const details = [...(rule === "strict" ? [] : [fill("waits_for", { terms: waits_for.join(", ") || condition })]), fill("rule_" + rule, { because })];
  return line(element, [...details, ...(address === undefined ? [] : [address])]);
}

export function sectionsOf(report: Report): Section[] {
  const { checks, leaked, to_mark, held, waiting_calls = [], released, released_requests, unknown_hosts, unknown_items } = report;
  const requests = Object.entries(released_requests);
  const sections: [name: string, lines: Line[], isUrgent: boolean][] = [
    ["checks", checks.map(({ severity, text, details }) => ({ mark: word("severity_" + severity), look: severity, ...line(text, details) })), true],
    ["leaked", leaked.map(leakLine), true],
    ["to_mark", to_mark.map(fixLine), true],
    ["held", [...held.map(heldLine), ...waiting_calls.map((keys) => line(fill("waiting_call", { keys })))], false],
    ["released", [...released.map(({ element, condition }) => line(element, [condition])), ...requests.map(([service, number]) => line(fill("requests", { name: service, number: `${number}` })))], false],
    [
      "unknown",
      [
        ...unknown_hosts.map(({ host, requests: number }) => line(fill("requests", { name: host, number: `${number}` }))),
        ...unknown_items.map(({ kind, name }) => ({ mark: word("kind_" + kind), ...line(name) })),
      ],
      false,
    ],
  ];
  return sections.map(([name, lines, isUrgent]) => ({ name, lines, isUrgent }));
}
