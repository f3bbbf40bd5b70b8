/**
 * How many cases a property looks at. `npm test` looks at few, and at the same ones each time: it tells what a change
 * broke. `npm run test:long` (TEST_RUNS=long) looks at many that nobody has seen before: it finds what nobody thought of.
 */
export const isLong = process.env['TEST_RUNS'] === 'long';

/** Parameters for `fc.assert`. */
export function runs(bounded: number, long: number): { numRuns: number; seed?: number } {
  return isLong ? { numRuns: long } : { numRuns: bounded, seed: 7 };
}
