/** When a VM was made, as PVE writes it into its configuration: `meta: creation-qemu=9.0.2,ctime=1720000000`, since PVE 7.1. */

/** ISO 8601 UTC; null: it does not say. */
export function createdAt(values: Readonly<Record<string, string>>): string | null {
  const seconds = /(?:^|,)ctime=(\d{1,11})(?:,|$)/.exec(values['meta'] ?? '')?.[1];
  return seconds === undefined ? null : new Date(Number(seconds) * 1000).toISOString();
}
