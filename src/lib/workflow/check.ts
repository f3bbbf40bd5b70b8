/** The story of `check`: read what was selected, run what its checks say in the machines, and see what came of it. */
import { runCommands } from '../agent/run-commands.ts';
import type { Check, CommandCheck } from '../config/checks/types.ts';
import { UsageError } from '../errors.ts';
import { readSnapshots } from '../inventory/snapshots.ts';
import { sortedUnique } from '../order.ts';
import {
  checksOf,
  commandsFor,
  configured,
  snapshotted,
  viewChecks,
  type ClassEnds,
} from '../plan/views/checks.ts';
import type { ChecksReport } from '../plan/views/checks-types.ts';
import { judgeOutcome } from '../plan/views/check-process.ts';
import type { StandSelection } from '../plan/stands/selection.ts';
import { standsScope } from '../privileges/scopes.ts';
import type { RunContext } from './context.ts';
import { assertPermitted } from './preflight.ts';
import { readStands } from './stands.ts';
import { gapTexts } from '../plan/document/text.ts';

export interface CheckWant {
  readonly stands: StandSelection;
  readonly checks: readonly Check[];
  /** Tells whether a stand that is not there would be made at all. */
  readonly files?: ClassEnds;
}

export type CheckContext = Pick<
  RunContext,
  'pve' | 'clock' | 'soft' | 'hard' | 'caller' | 'operators' | 'preflight' | 'onPhase'
>;

function nothingToCheck({ stands: { machines = [] }, checks }: CheckWant): UsageError {
  const checked = sortedUnique(checks.map(({ machine }) => machine));
  return new UsageError('NO_CHECKS', `there are no checks of --machine ${machines.join(', ')}`, {
    hint: `machines that are checked: ${checked.join(', ')}; checks are in lab.yml or in the file of --checks (docs/checks.md)`,
  });
}

const isCommand = (check: Check): check is CommandCheck => check.kind === 'command';

/** Checks of an odd kind of stand, and machines that are hidden, are results, too; only nobody to ask is an error. */
export async function checkStands(want: CheckWant, context: CheckContext): Promise<ChecksReport> {
  const { stands: selection } = want;
  const checks = checksOf(want.checks, selection);
  const commands = new Map(checks.filter(isCommand).map((check) => [check.name, check]));
  const { have, index, stands } = await readStands(selection, context, {
    configs: (pools) => configured(checks, selection, pools),
    lean: true,
  });
  // Now every name is one of a machine that is there.
  if (checks.length === 0) throw nothingToCheck(want);
  const scope = { ...standsScope('check', selection, have), runs: commands.size > 0 };
  assertPermitted(scope, have, context);
  const tasks = commandsFor(checks, stands);
  const total = tasks.reduce((sum, task) => sum + task.commands.length, 0);
  let done = 0;
  const [findings, rows] = await Promise.all([
    runCommands(
      tasks,
      (_, { name }, outcome) => {
        done += 1;
        context.onPhase(`checks: ${done} of ${total} run`, done / total);
        return judgeOutcome(commands.get(name)?.expect ?? { exit: 0 }, outcome);
      },
      context,
    ),
    readSnapshots(snapshotted(checks, stands), context),
  ]);
  const snapshots = new Map([...rows].map(([vmid, list]) => [vmid, list.map(({ name }) => name)]));
  return viewChecks({
    ...{ selection, checks, stands, index, findings, snapshots },
    now: have.now,
    files: want.files ?? {},
    notes: gapTexts(have),
  });
}
