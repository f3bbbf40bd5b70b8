/** How long a notification may be. */

/** Telegram cuts messages at 4096 characters; the rest is in the output of the run. */
const MOST_LINES = 20;

/** The message of so many lines at most; `more`: what is said of the others. */
export function shortened(
  lines: readonly string[],
  more = (left: number): string => `… and ${left} more`,
): string {
  const left = lines.length - MOST_LINES;
  return [...lines.slice(0, MOST_LINES), ...(left > 0 ? [more(left)] : [])].join('\n');
}
