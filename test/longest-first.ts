/** The order of test files: any, but that a worker does not begin a long one when the others have nothing left to do. */
import { createHash } from 'node:crypto';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Several seconds each. Those that start processes come while the workers are still small. */
const LONG = [
  /\/process\//,
  /\/e2e\/every-write/,
  /\/(workflow\/(adopt|faults)|plan\/.*\.property|execute\/cluster-lock)/,
  /\/e2e\//,
];

export class LongestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { seed } = this.ctx.config.sequence;
    const keyOf = ({ moduleId }: TestSpecification): string => {
      const rank = LONG.findIndex((pattern) => pattern.test(moduleId));
      const chance = createHash('sha256').update(`${seed} ${moduleId}`).digest('hex');
      return `${rank === -1 ? LONG.length : rank} ${chance}`;
    };
    const keyed = files.map((file) => [keyOf(file), file] as const);
    return Promise.resolve(keyed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file));
  }
}
