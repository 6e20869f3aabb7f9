/** Understands pages, and the stored decisions of visitors, that were made for another consent manager. */
export { areJobsGranted, openJobs, runJobs } from "./jobs";
export { adoptMarkup, foreignSelector } from "./markup";
export { forgetForeign, readForeignDecision } from "./stored";
