/** VMID lists as the pool comment writes them: `10201-10205,10209`. Knows nothing of pools. */

const HIGHEST_VMID = 999_999_999;
const MOST_IDS = 10_000;

/** Ascending, without repetition. */
export function formatVmids(vmids: readonly number[]): string {
  const sorted = [...new Set(vmids)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; i += 1) {
    const first = sorted[i] as number; // i is in range
    let last = first;
    while (sorted[i + 1] === last + 1) {
      last += 1;
      i += 1;
    }
    parts.push(first === last ? String(first) : `${first}-${last}`);
  }
  return parts.join(',');
}

/** Parts that are no ids, and absurdly wide ranges (a comment can be edited by hand), are left out. */
export function parseVmids(text: string): number[] {
  const vmids = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
    if (!match) continue;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last > HIGHEST_VMID || last - first > MOST_IDS) continue;
    for (let vmid = first; vmid <= last; vmid += 1) vmids.add(vmid);
  }
  return [...vmids].sort((a, b) => a - b);
}
