/** Reads and writes PVE's lists of tags. Knows no tag. */

/** Lower case, as PVE compares them. */
export function parseTags(text: string | undefined): string[] {
  return (text ?? '')
    .toLowerCase()
    .split(/[;,\s]+/)
    .filter((tag) => tag !== '');
}

/** PVE compares and stores tags in lower case, sorted, joined by `;` (pve-guest-common, `get_unique_tags`). */
export function formatTags(tags: Iterable<string>): string {
  return [...new Set([...tags].map((tag) => tag.toLowerCase()))].sort().join(';');
}
