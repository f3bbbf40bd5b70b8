/** The flags of `snapshot`. */
import { Command } from 'commander';
import type { ProgramIo } from '../io.ts';
import { positiveInteger, withDryRun, withLockWait } from '../options.ts';
import { withSelection } from '../selection-options.ts';
import type { CreateFlags, RollbackFlags, SnapshotFlags } from './run.ts';

function changing(command: Command): Command {
  return withDryRun(withLockWait(withSelection(command)));
}

function createCommand(io: ProgramIo): Command {
  const command = new Command('create')
    .description('take a snapshot of every machine of the stands')
    .argument('<name>', 'name of the snapshot')
    .option('--vmstate', 'with the memory of the machines that run')
    .option('--keep <n>', 'then delete older ones of ours, all but so many', positiveInteger)
    .action(async (name: string, _: unknown, self: Command) => {
      const { runCreate } = await import('./run.ts');
      await runCreate(io, self.optsWithGlobals<CreateFlags>(), name);
    });
  return changing(command);
}

function listCommand(io: ProgramIo): Command {
  const command = new Command('list')
    .description('name, age and owner of every snapshot, and which machines lack one')
    .action(async (_: unknown, self: Command) => {
      const { runList } = await import('./run.ts');
      await runList(io, self.optsWithGlobals<SnapshotFlags>());
    });
  return withSelection(command);
}

function rollbackCommand(io: ProgramIo): Command {
  const command = new Command('rollback')
    .description('go back to a snapshot; what ran runs again')
    .argument('<name>', 'name of the snapshot')
    .option('--start', 'switch on also what was off')
    .action(async (name: string, _: unknown, self: Command) => {
      const { runRollback } = await import('./run.ts');
      await runRollback(io, self.optsWithGlobals<RollbackFlags>(), name);
    });
  return changing(command);
}

function deleteCommand(io: ProgramIo): Command {
  const command = new Command('delete')
    .description('delete a snapshot of ours; never one that a student took')
    .argument('<name>', 'name of the snapshot')
    .action(async (name: string, _: unknown, self: Command) => {
      const { runDelete } = await import('./run.ts');
      await runDelete(io, self.optsWithGlobals<SnapshotFlags>(), name);
    });
  return changing(command);
}

export function snapshotCommand(io: ProgramIo): Command {
  return new Command('snapshot')
    .description('take, list, delete snapshots of stands, and go back to them')
    .addCommand(createCommand(io))
    .addCommand(listCommand(io))
    .addCommand(rollbackCommand(io))
    .addCommand(deleteCommand(io));
}
