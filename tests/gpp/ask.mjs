// What the module says; its questions come as JSON on standard input, one list of answers goes out.
import { readFileSync } from "node:fs";
import { load } from "./module.mjs";

const answers = [];
for (const { facts, shown, grants, gpc } of JSON.parse(readFileSync(0, "utf8"))) {
  Object.defineProperty(globalThis, "navigator", { value: { globalPrivacyControl: gpc }, configurable: true });
  answers.push((await load(facts)).read(shown, grants));
}
console.log(JSON.stringify(answers));
