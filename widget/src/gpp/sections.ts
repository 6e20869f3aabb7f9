/**
 * The sections of the states that publishers may write who signed no agreement and registered nowhere: the folders of
 * "Sections/US-States" in github.com/InteractiveAdvertisingBureau/Global-Privacy-Platform. Section 7 (usnat) is not
 * among them: it is for signatories of the MSPA.
 */

/** One number each, or as many as stand after the star. */
type Fields = string;

export interface Section {
  id: number;
  fields: Fields;
  hasGpc: boolean;
}

/** Those that were written before Maryland's; where `sensitive` and `child` are 0 it is one number, not a list. */
function fieldsOf(notice: string, sensitive: number, child: number, more = " AdditionalDataProcessingConsent", sensitiveNotice = ""): Fields {
  return (
    `Version ${notice} SaleOptOutNotice TargetedAdvertisingOptOutNotice${sensitiveNotice} SaleOptOut TargetedAdvertisingOptOut ` +
    `SensitiveDataProcessing*${sensitive} KnownChildSensitiveDataConsents${child ? "*" + child : ""}${more}${mspa}`
  );
}

const mspa = " MspaCoveredTransaction MspaOptOutOptionMode MspaServiceProviderMode";
const processing = (sensitive: number, child: number) => fieldsOf("ProcessingNotice", sensitive, child);
const sharing = (sensitive: number, child: number, sensitiveNotice = "") => fieldsOf("SharingNotice", sensitive, child, "", sensitiveNotice);

/**
 * From Maryland on. Their drafts of October 2025 put a header before these fields, with a Fibonacci range that holds a 0:
 * that coding has none. So they stand here as IAB Tech Lab's own library (@iabgpp/cmpapi 3.2) writes and reads them.
 */
const newer = (child: string) =>
  "MspaVersion MspaCoveredTransaction MspaMode ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut " +
  `TargetedAdvertisingOptOut${child} AdditionalDataProcessingConsent`;
const withChild = newer(" KnownChildSensitiveDataConsents");

const california =
  "Version SaleOptOutNotice SharingOptOutNotice SensitiveDataLimitUseNotice SaleOptOut SharingOptOut SensitiveDataProcessing*9 " +
  "KnownChildSensitiveDataConsents*2 PersonalDataConsents" + mspa;

/** In the order of their ids, from 8; `false` where the section has no place for GPC. */
const layouts: [state: string, fields: Fields, hasGpc?: false][] = [
  ["ca", california],
  ["va", sharing(8, 0), false],
  ["co", sharing(7, 0)],
  ["ut", sharing(8, 0, " SensitiveDataProcessingOptOutNotice"), false],
  ["ct", sharing(8, 3)],
  ["fl", processing(8, 3), false],
  ["mt", fieldsOf("SharingNotice", 8, 3)],
  ["or", processing(11, 3)],
  ["tx", processing(8, 0)],
  ["de", processing(9, 5)],
  ["ia", fieldsOf("ProcessingNotice", 8, 0, "", " SensitiveDataOptOutNotice")],
  ["ne", processing(8, 0)],
  ["nh", processing(8, 3)],
  ["nj", processing(10, 5)],
  ["tn", processing(8, 0)],
  ["mn", processing(8, 0)],
  ["md", newer("")],
  ["in", withChild, false],
  ["ky", withChild, false],
  ["ri", withChild, false],
];

/** By the name that the interface knows them by, such as usca. */
export const sections = new Map(
  layouts.map(([state, fields, hasGpc = true], index): [string, Section] => ["us" + state, { id: 8 + index, fields, hasGpc }]),
);
