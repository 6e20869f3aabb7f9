/** The report in the console. */
import type { Report } from "./report";
import { sectionsOf, summarise, type Line } from "./sections";
import { word } from "./texts";

function printLine({ mark, text, details, code }: Line): void {
  console.log([mark ? `[${mark}] ${text}` : text, ...details.map((one) => "    " + one), ...code].join("\n"));
}

/** Open where there is something to do, closed else. */
export function printReport(report: Report): void {
  console.group(word("title"));
  console.log(summarise(report).join("\n"));
  for (const { name, lines, isUrgent } of sectionsOf(report)) {
    const heading = `${word("section_" + name)}: ${lines.length}`;
    if (isUrgent && lines.length) console.group(heading);
    else console.groupCollapsed(heading);
    if (name === "held" && report.held.length) console.table(report.held);
    else lines.forEach(printLine);
    console.groupEnd();
  }
  console.groupEnd();
}
