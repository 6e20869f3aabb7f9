/** Which language the visitor reads: whole, never mixed. */
import { config, type Texts } from "./config";

/** The page's language, else the browser's, else the site's first one. */
export function chooseLanguage(): string {
  for (const wanted of [document.documentElement.lang, ...navigator.languages])
    for (const tag of [wanted, wanted.split("-")[0]]) {
      const found = config.languages.find((language) => language.toLowerCase() === tag?.toLowerCase());
      if (found) return found;
    }
  return config.languages[0] ?? "";
}

export function textsIn(language: string): Texts {
  return config.texts[language] as Texts;
}

export function direction(language: string): "rtl" | "ltr" {
  return /^(ar|ckb|dv|fa|he|ps|sd|ug|ur|yi)\b/.test(language) ? "rtl" : "ltr";
}

/** Puts values into {placeholders}. */
export function fill(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
