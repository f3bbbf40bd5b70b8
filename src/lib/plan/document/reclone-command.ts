/** The command that makes machines anew, as hints say it: one place for its words. Chooses nobody. */
import { shellCommand } from '../../shell.ts';

export interface RecloneRequest {
  /** Behind `--reclone`. */
  readonly flags?: readonly string[];
  /** Which lab, and where it is all of them, whose. */
  readonly lab: readonly string[];
  readonly users?: readonly string[];
  /** None: all of each stand. */
  readonly machines?: readonly string[];
}

/** The lab's file where no planner knows it; what is printed puts the one that was given in its place. */
export const UNKNOWN_LAB: readonly string[] = ['-c', 'lab.yml'];

/** Not quoted. */
export function recloneCommand({ flags = [], lab, users = [], machines = [] }: RecloneRequest): string {
  const whose = users.flatMap((user) => ['--user', user]);
  const which = machines.flatMap((machine) => ['--machine', machine]);
  return shellCommand('deploy-stand', 'reset', '--reclone', ...flags, ...lab, ...whose, ...which);
}
