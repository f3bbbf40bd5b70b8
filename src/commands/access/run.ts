/** What `access` does with its flags: select, plan, apply, render. */
import { UsageError } from '../../lib/errors.ts';
import { changeAccess, previewAccess, type AccessWant } from '../../lib/workflow/access.ts';
import type { RunContext } from '../../lib/workflow/context.ts';
import type { ProgramIo } from '../io.ts';
import { runPlanned, type PlanFlags } from '../planned-command.ts';
import { needSelection } from '../selection.ts';
import type { SelectionFlags } from '../selection-options.ts';

export interface ThawFlags extends PlanFlags, SelectionFlags {
  readonly allLabs?: true;
}

export interface FreezeFlags extends ThawFlags {
  readonly snapshot?: string;
  readonly stop?: true;
  readonly suspend?: true;
  readonly timeout: number;
}

async function change(io: ProgramIo, flags: ThawFlags, work: AccessWant['work']): Promise<void> {
  await runPlanned(io, flags, async (run) => {
    const { stands } = await needSelection(flags, run, { command: `access ${work.do}` });
    const want: AccessWant = { selection: stands, work };
    return {
      preview: (context) => previewAccess(want, context),
      apply: (context: RunContext) => changeAccess(want, context),
    };
  });
}

/** PVE's rule for names of snapshots (pve-common JSONSchema.pm, pve-configid; at most 40 characters). */
function assertSnapshotName(name: string | undefined): void {
  if (name === undefined || (/^[A-Za-z][A-Za-z0-9_-]{1,39}$/.test(name) && name !== 'current')) return;
  throw new UsageError('SNAPSHOT_NAME', `--snapshot: "${name}" cannot be the name of a snapshot`, {
    hint: 'use 2 to 40 letters, digits, - and _, a letter first; for example exam-2027-01-31',
  });
}

export async function runFreeze(io: ProgramIo, flags: FreezeFlags): Promise<void> {
  assertSnapshotName(flags.snapshot);
  await change(io, flags, {
    do: 'freeze',
    allLabs: flags.allLabs === true,
    stop: flags.stop === true,
    suspend: flags.suspend === true,
    ...(flags.snapshot === undefined ? {} : { snapshot: flags.snapshot }),
    lockWaitSeconds: flags.timeout,
  });
}

export async function runThaw(io: ProgramIo, flags: ThawFlags): Promise<void> {
  await change(io, flags, { do: 'thaw', allLabs: flags.allLabs === true });
}
