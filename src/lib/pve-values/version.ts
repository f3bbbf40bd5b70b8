/** Comparing PVE releases such as `8.4`. */

/** Is `release` this version or a newer one? What cannot be read counts as the oldest. */
export function isAtLeast(release: string, major: number, minor = 0): boolean {
  const [ownMajor = 0, ownMinor = 0] = release.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
