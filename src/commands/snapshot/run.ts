/** What `snapshot` does with its flags: select, plan, apply, render; or list. */
import { UsageError } from '../../lib/errors.ts';
import { isSnapshotName } from '../../lib/pve-values/snapshot-name.ts';
import { renderSnapshots, toSnapshotsDocument } from '../../lib/render/snapshots-text.ts';
import {
  changeSnapshots,
  previewSnapshots,
  reportSnapshots,
  type SnapshotsWant,
} from '../../lib/workflow/snapshots.ts';
import type { RunContext } from '../../lib/workflow/context.ts';
import { runChanging } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import { runPlanned, type PlanFlags } from '../planned-command.ts';
import { needSelection } from '../selection.ts';
import { recloneWords } from '../same-words.ts';
import type { SelectionFlags } from '../selection-options.ts';

export interface SnapshotFlags extends PlanFlags, SelectionFlags {
  readonly timeout: number;
}

export interface CreateFlags extends SnapshotFlags {
  readonly vmstate?: true;
  readonly keep?: number;
}

export interface RollbackFlags extends SnapshotFlags {
  readonly start?: true;
}

export function assertSnapshotName(name: string): void {
  if (isSnapshotName(name)) return;
  throw new UsageError('SNAPSHOT_NAME', `"${name}" cannot be the name of a snapshot`, {
    hint: "use 2 to 40 letters, digits, - and _, a letter first; current and pending are PVE's own",
  });
}

async function change(
  io: ProgramIo,
  flags: SnapshotFlags,
  work: SnapshotsWant['work'] & { readonly name?: string; readonly to?: string },
): Promise<void> {
  assertSnapshotName(work.name ?? work.to ?? '');
  const command = `snapshot ${work.do}`;
  await runPlanned(io, flags, async (run) => {
    const { stands: selection, lab } = await needSelection(flags, run, { command });
    const want = {
      ...{ selection, work, lockWaitSeconds: flags.timeout, words: recloneWords(io.argv, flags) },
      ...(lab ? { lab } : {}),
    };
    return {
      ...(work.do === 'rollback'
        ? { startsOver: { hasFiles: lab !== undefined && flags.users !== undefined, makesMissing: false } }
        : {}),
      preview: (context: RunContext) => previewSnapshots(want, context),
      apply: (context: RunContext) => changeSnapshots(want, context),
    };
  });
}

export async function runCreate(io: ProgramIo, flags: CreateFlags, name: string): Promise<void> {
  const { keep } = flags;
  const withMemory = flags.vmstate === true;
  await change(io, flags, { do: 'create', name, withMemory, ...(keep === undefined ? {} : { keep }) });
}

export async function runDelete(io: ProgramIo, flags: SnapshotFlags, name: string): Promise<void> {
  await change(io, flags, { do: 'delete', name });
}

export async function runRollback(io: ProgramIo, flags: RollbackFlags, name: string): Promise<void> {
  await change(io, flags, { do: 'rollback', command: 'snapshot', to: name, start: flags.start === true });
}

export async function runList(io: ProgramIo, flags: SelectionFlags & PlanFlags): Promise<void> {
  await runChanging(io, flags, async (run) => {
    const { stands: selection, lab } = await needSelection(flags, run, { command: 'snapshot list' });
    const want = { selection, ...(lab ? { lab } : {}) };
    const report = await reportSnapshots(want, await run.runContext());
    run.output.result(toSnapshotsDocument(report), () => renderSnapshots(report, run.output));
  });
}
