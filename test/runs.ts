/**
 * How many cases a property looks at. `npm test` looks at few, and at the same ones each time: it tells what a change
 * broke. `npm run test:long` (TEST_RUNS=long) looks at many that nobody has seen before: it finds what nobody thought of.
 */
const isLong = process.env['TEST_RUNS'] === 'long';

/** Parameters for `fc.assert`. */
export function runs(bounded: number, long: number): { numRuns: number; seed?: number } {
  return isLong ? { numRuns: long } : { numRuns: bounded, seed: 7 };
}

const fuzz = process.env['FUZZ_RUNS'];

/** As `runs`, of a fuzzer: `FUZZ_RUNS=5000` asks for that many cases of each, never seen before. */
export function fuzzRuns(bounded: number): { numRuns: number; seed?: number; endOnFailure: boolean } {
  const counts = fuzz === undefined ? runs(bounded, bounded * 40) : { numRuns: Number(fuzz) };
  return { ...counts, endOnFailure: true };
}

/** Were more cases asked for than the suite looks at? A test may then take long. */
export const isLengthy = isLong || fuzz !== undefined;
