/** What the browser asks of every site for its user. It refuses what is sold or shared, and never grants. */
import { config, servicesOf } from "./config";

/** Global Privacy Control, Do Not Track, none. */
export type Signal = "gpc" | "dnt" | "";

declare const navigator: { globalPrivacyControl?: boolean; doNotTrack?: string };

/** What the page sees, or else the server saw in a header. */
export const signal: Signal = navigator.globalPrivacyControl ? "gpc" : config.signal || (navigator.doNotTrack === "1" && !config.deaf ? "dnt" : "");

/** Whether a category or service is one of these categories, or in one. */
export const isAmong = (categories: string[], key: string) => categories.some((category) => category === key || servicesOf(category).includes(key));

/** Whether the signal refuses it, as long as the visitor does not say otherwise themself. */
export const isSignalled = (key: string) => !!signal && config.sold.some((category) => [category, ...servicesOf(category)].includes(key));
