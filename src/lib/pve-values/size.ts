/** Reads the sizes that PVE writes beside a volume: `8G`, `512M`, `1.5T`. Of whole configurations it knows nothing. */

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Bytes; 0 for what is no size. */
export function bytesOf(text: string): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)/.exec(text) ?? [];
  return count === undefined ? 0 : Math.round(Number(count) * (UNITS[unit] ?? 1));
}
