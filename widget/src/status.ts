/** Says that a signal of the browser was followed (11 CCR 7025(c)(6)), for as long as it is. */
import { make } from "./element";
import { ui, Ui } from "./language";
import { signal } from "./signals";
import { isOverruled } from "./state";

/** Empty where there is none, or where the visitor let run what it refuses. */
export const statusText = () => (signal && !isOverruled() && ui[Ui.honoured]) || "";

export const makeStatus = () => statusText() && make("p", {}, statusText());
