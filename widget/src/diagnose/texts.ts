/** The words of the panel: the owner's language where we have it, else English. */

function choose(): string {
  const wanted = [document.documentElement.lang, ...navigator.languages].map((tag) => (tag.split("-")[0] as string).toLowerCase().replace(/^n[no]$/, "nb"));
  return wanted.find((tag) => Object.keys(FACTS.texts).includes(tag)) ?? "en";
}

export let language = "en";

/** Read late, as for the notice: the page's language may be set by its code. */
export function chooseLanguage(): void {
  language = choose();
}

export function word(name: string): string {
  return FACTS.texts[language]?.[name] ?? name;
}

export function fill(name: string, values: Record<string, string>): string {
  return word(name).replace(/\{(\w+)\}/g, (whole, place: string) => values[place] ?? whole);
}
