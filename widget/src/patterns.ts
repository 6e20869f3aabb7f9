/** Names with at most one `*`, as owners write them: `_ga_*`, `*.hotjar.com`. */

export function covers(pattern: string, name: string): boolean {
  const [start, end] = pattern.split("*") as [string, string?];
  return end === undefined ? name === start : name.startsWith(start) && name.slice(start.length).endsWith(end);
}
