/** What the state sections of GPP say of this visitor; fetched once somebody asks `__gpp`. */
import type { WidgetConfig } from "../config";
import type { Grants } from "../state";
import { encode, encodeHeader, parse, type Parsed } from "./encode";
import { sections } from "./sections";

export { encode, encodeHeader, parse, sections };

/** The part of a PingReturn that depends on the visitor. */
export interface Said {
  sectionList: number[];
  applicableSections: number[];
  gppString: string;
  parsedSections: Record<string, Parsed>;
}

/** As the browser says it now, or said it to the server. */
const hasGpc = ({ signal }: WidgetConfig) => (navigator as { globalPrivacyControl?: unknown }).globalPrivacyControl === true || signal === "gpc";

/** Of all that a field can say, 0 is "not applicable", 1 a notice that was given or an opt-out, 2 none. */
function sayFor({ regime }: WidgetConfig, grants: Grants, fields: string): (field: string) => number {
  const tellsOfOptOut = regime?.name !== "notice_only" && regime?.name !== "off";
  const notice = (keys: string[]) => (keys.length ? (tellsOfOptOut ? 1 : 2) : 0);
  const optOut = (keys: string[]) => {
    if (!keys.every((key) => grants[key])) return 1;
    // Where nobody was told, "did not opt out" would be no answer.
    return keys.length && tellsOfOptOut ? 2 : 0;
  };
  const { sold_or_shared, sensitive } = GPP_FACTS;
  return (field) => {
    if (/Version$/.test(field)) return 1;
    if (field === "MspaCoveredTransaction") return 2;
    if (/^(Sharing|Processing)Notice$/.test(field)) return 1;
    if (/^Sensitive.*Notice$/.test(field)) return notice(sensitive);
    // Where it may be opted out of. Elsewhere it needs consent to each kind of data: never claimed, since the kinds are not known.
    if (field === "SensitiveDataProcessing") return /Sensitive\w+Notice/.test(fields) ? optOut(sensitive) : +!!sensitive.length;
    if (/OptOutNotice$/.test(field)) return notice(sold_or_shared);
    if (/OptOut$/.test(field)) return optOut(sold_or_shared);
    return 0; // nothing is known of children, or of purposes that visitors were not told
  };
}

/** What holds for this visitor: the section of the state where they are, or none. */
export function read(shown: WidgetConfig, grants: Grants): Said {
  const name = GPP_FACTS.region.replace("-", "").toLowerCase();
  const section = sections.get(name);
  if (!section) return { sectionList: [], applicableSections: [-1], gppString: encode(), parsedSections: {} };
  const { id, fields } = section;
  const parsed = parse(section, sayFor(shown, grants, fields), hasGpc(shown));
  return { sectionList: [id], applicableSections: [id], gppString: encode(name, parsed), parsedSections: { [name]: parsed } };
}
