/** Spreads what would otherwise happen at the same moment, the same way in every run. Draws no randomness. */

/** 0 … 1, always the same for the same key. */
export function spreadOf(key: string): number {
  let hash = 2166136261;
  for (const char of key) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16777619) >>> 0;
  return (hash % 1000) / 1000;
}
