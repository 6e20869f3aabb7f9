/** What the server puts before the module: what the script of the page does not know. */
interface GppFacts {
  /** Where the visitor is: ISO 3166-2, or 3166-1, or empty where nobody knows. */
  region: string;
  /** Categories that sell or share personal information, or serve targeted advertising. */
  sold_or_shared: string[];
  /** Categories that use sensitive personal information. */
  sensitive: string[];
}

declare const GPP_FACTS: GppFacts;
