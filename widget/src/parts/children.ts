/** On a page whose tag carries `data-consent-child` there is nothing but what is necessary: nothing is asked, let in or recorded. */
import type { Kit } from "../kit";

declare const kit: Kit;

if (kit.tag?.hasAttribute("data-consent-child")) Object.assign(kit.config, kit.config.child);
