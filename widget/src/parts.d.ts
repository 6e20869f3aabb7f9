/** Parts that a site asks for; set while building, so that the others drop out. */

/** Holds on pages that stay as they are: gate/. */
declare const GATE: boolean;

/** With the gate: every host but the site's own and those allowed waits. */
declare const STRICT: boolean;

/** Understands the mark-up of other consent managers. */
declare const COMPAT: boolean;

/** Something runs before the visitor said so: regime.ts. */
declare const REGIMES: boolean;

/** Knows what is new to visitors who decided before: news.ts. */
declare const NEWS: boolean;

/** Tells of a change that is coming: announcement.ts. */
declare const ANNOUNCED: boolean;

/** Parts that the server adds; where there are none, the statement that names them is cut out. See kit.ts. */
declare const PARTS: import("./kit").Part[];

/** In parts/connectors.ts: methods are called and values set; functions are awaited; some calls stop a service. */
declare const METHODS: boolean;
declare const WAITS: boolean;
declare const STOPS: boolean;
