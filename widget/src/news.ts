/** What is new to a visitor who decided before; travels only after a material change. */
import { config } from "./config";
import { make } from "./element";
import { language, textsOf } from "./language";
import { current, isNew } from "./state";

/** One sentence for the notice with the names; nothing where all is new, since then all is asked. */
export function makeNews(): HTMLElement | undefined {
  if (!current) return undefined;
  const asked = config.categories.flatMap(([category, ...services]) => (services.length ? services : category));
  const fresh = asked.filter(isNew);
  if (!fresh.length || fresh.length === asked.length) return undefined;
  const names = fresh.map((key) => textsOf[key]?.[0]).join(", ");
  return make("p", { id: "news" }, config.news?.said[language]?.replace("{services}", () => names));
}
