/** What the server puts before this script (consent_server/diagnosis.py), and the build into it. */

interface KnownService {
  name: string;
  category: string;
  /** Hosts (`*.example.com`) and paths (`example.com/a`). */
  patterns: string[];
  /** Kind and name, e.g. `c_ga_*`. */
  items: string[];
  /** Whether the published site file names it; the others are the rest of the catalogue. */
  in_site: boolean;
}

/** The site as it is published now. */
declare const FACTS: {
  version: number;
  script: string;
  script_hash: string;
  origins: string[];
  allowed_hosts: string[];
  services: Record<string, KnownService>;
  /** Language -> name of a text -> the text. */
  texts: Record<string, Record<string, string>>;
};

/** The styles of the panel. */
declare const PANEL_CSS: string;
