/** Names with at most one `*`, as owners write them: `_ga_*`, `*.hotjar.com`. */

export function covers(pattern: string, name: string): boolean {
  const [start = "", end] = pattern.split("*");
  if (end === undefined) return name === pattern;
  return name.length >= pattern.length - 1 && name.startsWith(start) && name.endsWith(end);
}
