/** The command that switches what a hint is about, and nothing else of the class. Decides nothing. */
import { shellCommand } from '../../shell.ts';
import type { PowerAction } from '../document/plan.ts';

export interface Switched {
  /** Absent: of all labs. */
  readonly lab: string | undefined;
  readonly user: string;
  /** Absent: the whole stand. */
  readonly machine?: string | undefined;
}

/** Between backticks, as hints have it. `flags`: what the action takes beside. */
export function sayPowerCommand(
  action: PowerAction,
  { lab, user, machine }: Switched,
  ...flags: string[]
): string {
  const which = [
    ...(lab === undefined ? [] : ['--lab', lab]),
    ...['--user', user],
    ...(machine === undefined ? [] : ['--machine', machine]),
  ];
  return `\`${shellCommand('deploy-stand', 'power', action, ...flags, ...which)}\``;
}
