/** Reads and compares versions as PVE writes them: releases (`8.4`), packages (`9.2.0`), machine types. */

/** Major and minor number; what cannot be read is not a number, and so never "at least". */
export function parseRelease(release: string): readonly [major: number, minor: number] {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  return [major, minor];
}

/** Is `release` this version or a newer one? What cannot be read counts as the oldest. */
export function isAtLeast(release: string, major: number, minor = 0): boolean {
  const [ownMajor, ownMinor] = parseRelease(release);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

/** The lowest of the cluster: what one node cannot do, nobody does. */
export function lowestRelease(releases: readonly string[]): string {
  const sorted = releases.map(parseRelease).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return (sorted[0] ?? [0, 0]).join('.');
}

/** `8.4.5` of `pve-manager/8.4.5/0123456789abcdef`. */
export function packageVersion(text: string | undefined): string | undefined {
  return text?.split('/')[1];
}

/** Machine types and package versions as numbers: `pc-i440fx-9.2+pve1` and `9.2.0` → [9, 2]. */
function numbersIn(text: string | undefined): readonly [number, number] | undefined {
  const match = /(\d+)\.(\d+)/.exec(text ?? '');
  return match ? [Number(match[1]), Number(match[2])] : undefined;
}

/** Of machine types or packages; one that is not known is neither older nor newer. */
export function isOlderVersion(a: string | undefined, b: string | undefined): boolean {
  const [left, right] = [numbersIn(a), numbersIn(b)];
  return left !== undefined && right !== undefined && (left[0] - right[0] || left[1] - right[1]) < 0;
}
