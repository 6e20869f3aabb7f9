// Writes each state's section with many values by the built module, and reads it with IAB Tech Lab's library.
// Answers as JSON: how many strings were compared, and the first differences.
import { GppModel } from "@iabgpp/cmpapi";
import { load } from "./module.mjs";

const rounds = Number(process.argv[2]);
const { encode, encodeHeader, parse, read, sections } = await load({ region: "", sold_or_shared: [], sensitive: [] });

// Where the library goes its own way in the name only.
const theirName = { SubsectionType: "GpcSegmentType" };
const differences = [];
let compared = 0;

function same(what, ours, theirs) {
  if (JSON.stringify(ours) !== JSON.stringify(theirs)) differences.push({ what, ours, theirs });
}

function random(field) {
  if (/Version$/.test(field)) return 1;
  if (field === "MspaCoveredTransaction") return 1 + Math.floor(Math.random() * 2);
  return Math.floor(Math.random() * 3);
}

function compare(name, section) {
  const parsed = parse(section, random, Math.random() < 0.5);
  for (const list of Object.values(parsed[0]).filter(Array.isArray)) list.forEach((_, at) => (list[at] = random("")));
  const string = encode(name, parsed);
  const model = new GppModel(string);
  same(`${name} sections`, [section.id], model.getSectionIds());
  const fields = Object.entries(Object.assign({}, ...parsed));
  for (const [field, value] of fields) same(`${name}.${field} of ${string}`, value, model.getFieldValue(name, theirName[field] ?? field));
  // The other way: written by them, field by field in their order, it is the same string.
  const theirs = new GppModel();
  for (const [field, value] of fields) if (field !== "SubsectionType") theirs.setFieldValue(name, field, value);
  // Theirs always adds a part that is for consents to sensitive data which were given; ours never claims one.
  if (/^us(in|ky|ri)$/.test(name)) theirs.setFieldValue(name, "SensitiveDataConsentSegmentIncluded", false);
  same(`${name} written`, string, theirs.encode());
  compared++;
}

for (const [name, section] of sections) for (let round = 0; round < rounds; round++) compare(name, section);
same("no section", read({}, false).gppString, new GppModel().encode());
same("the specification's header of section 2", encodeHeader(2), "DBABMA");
console.log(JSON.stringify({ compared, sections: [...sections].map(([name, { id }]) => `${id}:${name}`), differences: differences.slice(0, 20) }));
