/** Puts a node's staged bridges and removals into force, once, when nobody else has staged anything there. */
import { stepId, type StepOf } from '../../../plan/document/step.ts';
import { bridgeInMark, isStagedByUs } from '../../../marks/bridge.ts';
import type { PendingRow } from '../../../inventory/types.ts';
import { PveError, TaskError } from '../../../proxmox/errors.ts';
import { hasLastReloadFailed } from '../../../proxmox/last-reload.ts';
import { isReloadBusy } from '../../../proxmox/words.ts';
import { parsePendingChanges, UNKNOWN } from '../../../pve-values/network-diff.ts';
import type { NetworkRow } from '../../../proxmox/types.ts';
import { compareNatural, sortedUnique } from '../../../order.ts';
import { attempt, awaitTask } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepIo } from '../../types.ts';
import { outliveTasks } from '../outlive-tasks.ts';

type ReloadStep = StepOf<'network.reload'>;

interface NodeState {
  readonly pending: readonly PendingRow[];
  /** Ours that are configured but not up. A bridge that is not listed was never staged: its own step has failed. */
  readonly down: readonly NetworkRow[];
  /** A change that this reload is about, or may be about, is not in force: nothing can be done already. */
  readonly isDue: boolean;
  /** Ours that carry VLANs by the file: a reload that failed half-way may have brought them up without. */
  readonly vlanAware: readonly string[];
  /** Ours that should be gone and are listed: their removal is not staged, so that no reload takes them away. */
  readonly left: readonly string[];
}

/** What this reload is to take away. A bridge whose removal failed or was skipped stays; its own step has said why. */
function goneOf({ node, gone = [] }: ReloadStep, io: StepIo): string[] {
  return gone.filter((iface) => !io.isUndone(stepId('bridge.delete', `${node}/${iface}`)));
}

async function readState(step: ReloadStep, io: StepIo): Promise<NodeState> {
  const { rows, changes } = await io.pve.network(step.node, io.signal);
  const ours = new Set(step.bridges);
  const gone = new Set(step.gone);
  const expected = new Set(goneOf(step, io));
  const pending = parsePendingChanges(changes, rows, bridgeInMark).map(({ iface, change, comment, text }) => {
    // One that was adopted has no mark to be known by.
    const isOrdered = change === 'removed' && gone.has(iface);
    return { iface, change, text, ours: isOrdered || isStagedByUs(iface, change, comment) };
  });
  return {
    pending,
    isDue: pending.some((row) => row.ours || row.iface === UNKNOWN || ours.has(row.iface)),
    down: rows
      .filter(({ iface, active }) => ours.has(iface) && !active)
      .sort((a, b) => compareNatural(a.iface, b.iface)),
    vlanAware: rows.flatMap(({ iface, vlanAware }) => (ours.has(iface) && vlanAware ? [iface] : [])),
    left: rows.flatMap(({ iface }) => (expected.has(iface) ? [iface] : [])).sort(compareNatural),
  };
}

/** An apply puts everything into force, whoever staged it. */
function refuseForeign({ node }: ReloadStep, { pending }: NodeState): void {
  const foreign = pending.filter(({ ours }) => !ours);
  if (foreign.length === 0) return;
  const names = foreign
    .map(({ iface }) => iface)
    .sort(compareNatural)
    .join(', ');
  throw new StepError(
    'FOREIGN_PENDING_CHANGES',
    `${node} has network changes that are not ours and wait to be applied: ${names}`,
    {
      hint: `apply or revert them in ${node} → System → Network, then run again:\n${foreign.map(({ text }) => text).join('\n')}`,
    },
  );
}

/** A failed ifreload has consumed the staged file all the same: what counts is whether the bridges are up. */
async function apply({ node }: ReloadStep, io: StepIo): Promise<TaskError | undefined> {
  const upid = await io.pve.reloadNetwork(node, io.signal);
  try {
    await awaitTask(io, upid);
    return undefined;
  } catch (error) {
    if (!(error instanceof TaskError) || isReloadBusy(error)) throw error;
    return error;
  }
}

function assertNoneLeft({ node }: ReloadStep, { left }: NodeState): void {
  if (left.length === 0) return;
  throw new StepError('BRIDGES_LEFT', `${left.join(', ')} on ${node} should be gone and is still there`, {
    hint: 'its removal was reverted in System → Network; run the command again',
  });
}

/**
 * PVE says `active` as it was when the answering worker last read the interfaces file (pve-common INotify.pm): a bridge
 * that somebody asked about during a reload stays "not active" there, though it is up. Sending one bridge with the values
 * that it has makes every worker read again; it stages no difference.
 */
async function readAnew(step: ReloadStep, io: StepIo, state: NodeState): Promise<NodeState> {
  const [row] = state.down.filter(({ type }) => type === 'bridge');
  if (!row || state.pending.length > 0) return state;
  try {
    await io.pve.updateBridge(step.node, { iface: row.iface, comment: row.comments }, io.signal);
  } catch (error) {
    // A flaw in the file keeps every edit out. What is known stays known.
    if (!(error instanceof PveError)) throw error;
    return state;
  }
  return readState(step, io);
}

interface FailedReload {
  /** Bridges of ours that were to be changed. */
  readonly changed: readonly string[];
  readonly failure: TaskError;
}

/**
 * Where all are up and the reload fails, it fails for an interface that is none of ours. Changes and removals are another
 * matter: PVE shows what is in the file, and "up" of a bridge that is still in the kernel as it was.
 */
function assertInForce(step: ReloadStep, io: StepIo, { changed, failure }: FailedReload): void {
  const gone = goneOf(step, io).sort(compareNatural);
  const doubts = [
    ...(changed.length === 0
      ? []
      : [`changes of ${[...changed].sort(compareNatural).join(', ')} may not be in force`]),
    ...(gone.length === 0 ? [] : [`${gone.join(', ')} may still be up`]),
  ];
  if (doubts.length === 0) return;
  const log = failure.hint ?? `see the task log of the network reload on ${step.node}`;
  // Nothing is staged any more, so that no later run sees that anything is missing.
  const again = `mend the cause, then run \`ifreload -a\` on ${step.node}`;
  throw new StepError('RELOAD_FAILED', `${step.node}: ${failure.message}; ${doubts.join('; ')}`, {
    hint: changed.length === 0 ? log : `${log}\n${again}`,
    cause: failure,
  });
}

/** What it takes to say how things are. */
async function look(step: ReloadStep, io: StepIo, seenUp: ReadonlySet<string>): Promise<NodeState> {
  const state = await readState(step, io);
  // No reload takes down what it finds up and in the file.
  return { ...state, down: state.down.filter(({ iface }) => !seenUp.has(iface)) };
}

/** Rounds of reload and look, at most two. */
async function bringUp(step: ReloadStep, io: StepIo, mustApply: boolean): Promise<'done' | 'already-done'> {
  let state = await readState(step, io);
  let isHalfDone = false;
  if (!mustApply && !state.isDue) {
    // Perhaps they are up, and nothing has to be reloaded.
    state = await readAnew(step, io, state);
    isHalfDone = state.vlanAware.length > 0 && (await hasLastReloadFailed(io.pve, step.node, io.signal));
    if (state.down.length === 0 && !state.isDue && !isHalfDone) {
      assertNoneLeft(step, state);
      return 'already-done';
    }
  }
  const changed = state.pending.flatMap((row) => (row.ours && row.change === 'changed' ? [row.iface] : []));
  const edited = new Set(isHalfDone ? step.bridges : state.pending.map(({ iface }) => iface));
  const seenUp = new Set<string>();
  let failure: TaskError | undefined;
  for (let round = 0; round < 2; round += 1) {
    refuseForeign(step, state);
    failure = await apply(step, io);
    state = await look(step, io, seenUp);
    // Not after the last failure: who mends the file by hand would find an interfaces.new of ours that takes it back.
    if (state.down.length > 0 && !(failure && round > 0)) state = await readAnew(step, io, state);
    const down = new Set(state.down.map(({ iface }) => iface));
    for (const iface of step.bridges) if (!down.has(iface)) seenUp.add(iface);
    if (state.down.length === 0 && !failure) break;
  }
  if (state.down.length === 0) {
    assertNoneLeft(step, state);
    const vlans = state.vlanAware.filter((iface) => edited.has(iface));
    if (failure) assertInForce(step, io, { changed: sortedUnique([...changed, ...vlans]), failure });
    return 'done';
  }
  throw new StepError(
    'BRIDGES_DOWN',
    `${state.down.map(({ iface }) => iface).join(', ')} on ${step.node} did not come up`,
    {
      hint: failure?.hint ?? `see the task log of the network reload on ${step.node}`,
      cause: failure,
    },
  );
}

export const reloadNetwork: Handler<'network.reload'> = (step, io) => {
  let mustApply = false;
  return attempt(io, {
    id: step.id,
    act: () => bringUp(step, io, mustApply),
    // Every try begins with a look at the bridges, so it is enough that no reload is under way any more.
    look: async () => {
      await outliveTasks(io, step.node, { type: 'srvreload' });
      // But for those that should be gone: the list would not show that a reload has failed to take them out of the kernel.
      mustApply = goneOf(step, io).length > 0;
      return 'absent';
    },
  });
};
