/** How long stories wait, and let things be, unless their caller says otherwise. Numbers for command line and library alike. */

/** Nothing younger is taken for what an earlier run left, and removed: longer than runs take, as what is removed is gone. */
export const USUAL_MIN_AGE = { seconds: 2 * 3600, text: '2h' } as const;

/** How long a change of a machine waits for whatever holds it. */
export const USUAL_LOCK_WAIT = { seconds: 600, text: '10m' } as const;

/** What failed longer ago is not told any more. */
export const USUAL_SINCE = { seconds: 24 * 3600, text: '24h' } as const;
