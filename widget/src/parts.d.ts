/** Parts that a site asks for; set while building, so that the others drop out. */

/** Holds on pages that stay as they are: gate/. */
declare const GATE: boolean;

/** Understands the mark-up of other consent managers. */
declare const COMPAT: boolean;

/** Knows what is new to visitors who decided before: news.ts. */
declare const NEWS: boolean;

/** Tells of a change that is coming: announcement.ts. */
declare const ANNOUNCED: boolean;
