/** Plans taking and deleting snapshots of stands. What students took is never deleted. Pure. */
import type { SnapshotInfo } from '../../inventory/types.ts';
import { frozenSince } from '../../marks/pool.ts';
import { formatSnapshotMark } from '../../marks/snapshot.ts';
import { momentOf } from '../../pve-values/moment.ts';
import type { ClusterView } from '../cluster/view.ts';
import { assertSound } from '../document/graph.ts';
import type { Plan, SnapshotPlan } from '../document/plan.ts';
import { makeStep, type Step } from '../document/step.ts';
import { oursAt } from '../document/steps/place.ts';
import { labOf } from '../document/text.ts';
import type { StandView } from '../stands/selected.ts';
import { machineKey, sayMachine, type ReadyMachine } from './machines.ts';
import { isFromBefore, ownerOf, type Baselines, type SnapshotLists } from '../stands/snapshots.ts';
import { tiedMemory } from './memory-place.ts';
import { sayReclone, type RecloneWords } from './reclone-hint.ts';
import { earlierRefusal, incapableRefusal, snapshotsUnreadable } from './snapshot-refusals.ts';
import { planEachMachine, type MachineWork, type StandsWork } from './stand-work.ts';

export interface SnapshotsInput {
  readonly stands: readonly StandView[];
  readonly index: ClusterView;
  readonly snapshots: SnapshotLists;
  readonly baselines: Baselines;
  readonly gaps: readonly string[];
  /** How long a backup, snapshot or migration of a VM is waited for. */
  readonly lockWaitSeconds: number;
  /** For hints that name `reset --reclone`. */
  readonly words?: RecloneWords;
}

export interface CreateOptions {
  readonly name: string;
  readonly withMemory: boolean;
  /** How many of ours each machine keeps, the baseline aside; absent: all. */
  readonly keep?: number;
}

export function snapshotPlan(
  of: Pick<SnapshotPlan, 'command' | 'action'> | { readonly command: 'reset' },
  { stands, warnings }: Pick<SnapshotsInput, 'stands'> & Pick<Plan, 'warnings'>,
  work: StandsWork,
): Plan {
  assertSound(work.steps);
  return { version: 2, ...of, lab: labOf(stands.map(({ claim }) => claim)), ...work, warnings };
}

function deleteStep(
  view: StandView,
  one: ReadyMachine,
  { snapshot, reason, dependsOn = [] }: { snapshot: string; reason: string; dependsOn?: readonly string[] },
  lockWaitSeconds: number,
): Step {
  const { user, pool } = view;
  return makeStep(
    'vm.snapshot.delete',
    `${machineKey(view, one)}/${snapshot}`,
    { user, reason, dependsOn },
    { ...oursAt(one.guest, pool), snapshot, lockWaitSeconds },
  );
}

/** Of ours but the baseline, the oldest first, without the one that is made now. */
function surplus(
  list: readonly SnapshotInfo[],
  { vmid, machine }: ReadyMachine,
  { name, keep }: CreateOptions,
  baselines: Baselines,
): readonly SnapshotInfo[] {
  if (keep === undefined) return [];
  const baseline = baselines.get(machine ?? '');
  const ours = list.filter((one) => one.name !== name && ownerOf(one, vmid, baseline) === 'ours');
  return ours.slice(0, Math.max(0, ours.length + 1 - keep));
}

/** Our mark does not tell who took it: a student who may take snapshots may write it. When it was taken PVE says. */
function sayFormer(one: ReadyMachine, { name, time }: SnapshotInfo): string {
  const since = time === undefined ? '' : `, of ${momentOf(time)}`;
  return `${sayMachine(one)} has a snapshot ${name} already${since}: it stays`;
}

function planOne(
  view: StandView,
  one: ReadyMachine,
  options: CreateOptions,
  { index, snapshots, baselines, lockWaitSeconds, words }: SnapshotsInput,
): MachineWork {
  const list = snapshots.get(one.vmid);
  if (!list) return { refused: snapshotsUnreadable(one) };
  const incapable = incapableRefusal(one, index, sayReclone([{ view, one }], { words }));
  if (incapable) return { refused: incapable };
  const { name, withMemory, keep } = options;
  const { vmid, guest } = one;
  const former = list.find((known) => known.name === name);
  if (former && ownerOf(former, vmid, baselines.get(one.machine ?? '')) === 'student') {
    return {
      refused: {
        code: 'SNAPSHOT_NAME_USED',
        message: `${sayMachine(one)} has a snapshot ${name} that its student took; it is left alone`,
        hint: 'choose another name',
      },
    };
  }
  const frozen = frozenSince(view.mark);
  if (former && frozen !== undefined && isFromBefore(former, frozen))
    return { refused: earlierRefusal(one, name, 'choose another name') };
  const isRunning = guest.status === 'running';
  const hint = 'leave out --vmstate: snapshots of disks alone are taken';
  const tied =
    withMemory && isRunning && !former && tiedMemory(one.config.values, { say: sayMachine(one), hint });
  if (tied) return { refused: tied };
  const payload = {
    ...oursAt(guest, view.pool),
    ...{ snapshot: name, lockWaitSeconds },
    description: formatSnapshotMark({ lab: view.claim.lab, vmid, isBaseline: false }),
    ...(withMemory && isRunning ? { withMemory: true as const } : {}),
  };
  const frame = { user: view.user, reason: 'asked for' };
  const creates = former ? [] : [makeStep('vm.snapshot', machineKey(view, one), frame, payload)];
  const dependsOn = creates.map(({ id }) => id);
  const deletes = surplus(list, one, options, baselines).map((old) =>
    deleteStep(
      view,
      one,
      { snapshot: old.name, reason: `--keep ${keep ?? ''}: older ones of ours go`, dependsOn },
      lockWaitSeconds,
    ),
  );
  const isCold = withMemory && !isRunning && !former;
  const notes = [
    ...(former ? [sayFormer(one, former)] : []),
    ...(isCold ? [`${sayMachine(one)} is off: there is no memory to keep`] : []),
  ];
  return { steps: [...creates, ...deletes], ...(notes.length === 0 ? {} : { notes }) };
}

/** A machine that has one of that name by us is done. Throws PlanRefusedError where nothing can be done. */
export function planSnapshotCreate(input: SnapshotsInput, options: CreateOptions): Plan {
  const work = planEachMachine(input.stands, input.index, (view, one) => planOne(view, one, options, input));
  return snapshotPlan(
    { command: 'snapshot', action: 'create' },
    { stands: input.stands, warnings: input.gaps },
    work,
  );
}

/** A machine that has none of that name is done. */
export function planSnapshotDelete(input: SnapshotsInput, name: string): Plan {
  const { stands, index, snapshots, baselines, lockWaitSeconds } = input;
  const work = planEachMachine(stands, index, (view, one) => {
    const list = snapshots.get(one.vmid);
    if (!list) return { refused: snapshotsUnreadable(one) };
    const found = list.find((known) => known.name === name);
    if (!found) return {};
    const owner = ownerOf(found, one.vmid, undefined);
    if (owner !== 'student') {
      const isBaseline = owner === 'baseline';
      return {
        steps: [deleteStep(view, one, { snapshot: name, reason: 'asked for' }, lockWaitSeconds)],
        ...(isBaseline
          ? { notes: [`${sayMachine(one)}: ${name} is the baseline; without it reset can only clone anew`] }
          : {}),
      };
    }
    const isOld = baselines.get(one.machine ?? '') === name;
    return {
      refused: {
        code: 'SNAPSHOT_NOT_OURS',
        message: `snapshot ${name} of ${sayMachine(one)} ${isOld ? 'does not carry our mark' : 'was taken by its student'}; it is left alone`,
        hint: 'its student, or an administrator, can delete it in the web interface',
      },
    };
  });
  const isKnown = [...snapshots.values()].some((list) => list.some((known) => known.name === name));
  const warnings = [...input.gaps, ...(isKnown ? [] : [`no machine of these stands has a snapshot ${name}`])];
  return snapshotPlan({ command: 'snapshot', action: 'delete' }, { stands, warnings }, work);
}
