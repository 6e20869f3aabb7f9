// Makes a small script of an entry and all that it imports, in parts that may stand in any order.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";
import { minify } from "terser";

export const here = fileURLToPath(new URL(".", import.meta.url));
export const target = "es2021"; // Chrome 85, Firefox 79, Safari 14.1: older ones get nothing, so nothing optional runs

/** A style sheet of src, made small. */
export const minifyCss = (name) => esbuild.transformSync(readFileSync(join(here, `src/${name}.css`), "utf8"), { loader: "css", minify: true, target }).code.trim();

/** The functions of a bundle as arrows, before all statements: without the word `function` it is 1 % smaller. */
function toArrows(bundle) {
  const arrows = [];
  const statements = bundle.replace(/^(async )?function ([\w$]+)(\(.*\)) (\{\n[^]*?^\})\n/gm, (_whole, async = "", name, parameters, body) => {
    arrows.push(`${name} = ${async}${parameters} => ${body}`);
    return "";
  });
  return `var ${arrows.join(",")};\n${statements}`;
}

const FORMAT = { ecma: 2020 };
const isArrow = ({ value }) => value?.TYPE === "Arrow";

export const print = (ast) => ast.print_to_string(FORMAT);

/** The syntax tree of an entry with all that it needs, made small; `wrap` puts its text into something else before. A core gets its names later: `rename`. */
export async function compile(entry, define, { wrap = toArrows, mangle = true } = {}) {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: here,
    entryPoints: [entry],
    bundle: true,
    minifySyntax: true,
    treeShaking: true,
    define,
    write: false,
    format: "esm", // top-level names are ours alone: the server puts the function round them
    charset: "utf8",
    legalComments: "none",
    target,
  });
  // The bundle is one module, so terser may inline across what were files: 4 % smaller than esbuild's own minifier.
  const { ast } = await minify(wrap(outputFiles[0].text), {
    module: true,
    mangle,
    compress: { ecma: 2020, passes: 4, pure_getters: true, unsafe_arrows: true, keep_fargs: false, hoist_funs: true, inline: 1 },
    format: { ...FORMAT, ast: true, code: false },
  });
  return ast;
}

/** What the first statement of a core declares: names without a value, arrows, and what must keep its order. */
export function definitionsOf({ body: [first] }) {
  const arrows = first.definitions.filter(isArrow);
  const [names, rest] = [first.definitions.filter(({ value }) => !value), first.definitions.filter((one) => one.value && !isArrow(one))];
  return { names, arrows, rest };
}

/**
 * Puts the arrows of a core into an order of their names in the sources: to the script it is of no meaning, and brotli
 * finds more in common where what is alike stands together. What the order does not name stands before all others.
 */
export function arrange(ast, order) {
  const { names, arrows, rest } = definitionsOf(ast);
  const place = ({ name }) => order.indexOf(name.name); // names become short when they are printed
  ast.body[0].definitions = [...names, ...arrows.sort((one, other) => place(one) - place(other)), ...rest];
}

/** What is declared inside of functions is called so, in this order. */
const LOCALS = [..."etronalsic"];
const LETTERS = [..."etronalsicdpufhmygbvwSkEAMjNxCTO_DRPWIqHFBUVzGJXKQYZL$"];
const WORDS = ["do", "if", "in", "of", "as", "is"];
/** What a core itself declares is called otherwise, so that functions which are alike look alike. */
export const shortNames = [
  ...LETTERS.filter((letter) => !LOCALS.includes(letter)),
  ...LETTERS.flatMap((last) => LETTERS.map((first) => first + last)).filter((name) => !WORDS.includes(name)),
];

/** What a core itself declares. */
export const declared = (core) => [...core.variables.values()];

/** Gives a core its short names, of its own declarations those that are `known` by their names in the sources: with some names brotli finds more in common than with others. */
export function rename(core, known) {
  core.figure_out_scope({ module: true });
  const isFree = (name) => !core.globals.has(name);
  const taken = new Set(declared(core).map(({ name }) => known[name]));
  const free = shortNames.filter((name) => isFree(name) && !taken.has(name));
  for (const one of declared(core)) one.mangled_name = known[one.name] ?? free.shift();
  const nameInside = (scope) => {
    const inside = [...scope.variables.values()].filter(({ name }) => name !== "arguments"); // methods have it by themselves
    for (const one of inside) {
      const seen = new Set([...scope.enclosed, ...inside].filter((other) => other !== one).map((other) => other.mangled_name));
      one.mangled_name = [...LOCALS, ...shortNames].find((name) => isFree(name) && !seen.has(name));
    }
  };
  core.walk({
    _visit(node, descend) {
      if (node !== core && node.variables) nameInside(node);
      else if (node.is_block_scope()) nameInside(node.block_scope);
      descend?.call(node);
    },
  });
}

/** Brackets the statement that hands the kit to the parts: the server cuts it out, or puts the parts in the place of PARTS. */
export function bracketParts(core) {
  const start = core.indexOf("PARTS.forEach(");
  let end = core.indexOf("(", start);
  for (let depth = 1; depth; ) depth += { "(": 1, ")": -1 }[core[++end]] ?? 0; // no text in it has brackets
  if (start < 0 || core[++end] !== "," || core.includes("PARTS", end)) throw new Error("the statement of the parts is not one of a list any more");
  return `${core.slice(0, start)}/*parts*/${core.slice(start, end)},/**/${core.slice(end + 1)}`;
}

export const withoutParts = (core) => core.replace(/\/\*parts\*\/.*\/\*\*\//, "");
