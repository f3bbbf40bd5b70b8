/** VMID lists as the pool comment writes them: `10201-10205,10209`. Knows nothing of pools. */

const HIGHEST_VMID = 999_999_999;

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

/** Parts that are no ids are left out, and whatever goes beyond `most` ids: a comment can be written by hand, or by a stranger. */
export function parseVmids(text: string, most: number): number[] {
  const vmids = new Set<number>();
  for (const part of text.split(',')) {
    if (vmids.size >= most) break;
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
    if (!match) continue;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last > HIGHEST_VMID || last - first >= most) continue;
    for (let vmid = first; vmid <= last && vmids.size < most; vmid += 1) vmids.add(vmid);
  }
  return [...vmids].sort((a, b) => a - b);
}
