/** What a freeze does to machines once nobody may use them: a snapshot for grading, then the power. Takes no right away. */
import { formatSnapshotMark } from '../../marks/snapshot.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import { frozenSince } from '../../marks/pool.ts';
import type { Refusal } from '../document/plan.ts';
import { makeStep, type Step } from '../document/step.ts';
import { oursAt } from '../document/steps/place.ts';
import { isFromBefore, type SnapshotLists } from '../stands/snapshots.ts';
import { actionable, type StandMachine, type StandView } from '../stands/selected.ts';
import { isWritable } from '../stands/ownership.ts';
import { heldBack, isReady, leftAs } from './machines.ts';
import { earlierRefusal, incapableRefusal, snapshotsUnreadable } from './snapshot-refusals.ts';
import { joined, type Judged } from './stand-work.ts';
import { joinRefusals } from '../document/refuse.ts';
import { placeForMemory } from './memory-place.ts';
import { machinePower } from '../../pve-values/machine-power.ts';
import { deedFor, obstacleTo } from './power-deeds.ts';
import type { Planned } from './power-types.ts';
import { sayPowerCommand, type Switched } from './power-command.ts';

export interface KeepOptions {
  /** Power machines off, which ends open consoles. */
  readonly stop: boolean;
  /** Write their memory to disk, which ends open consoles, too, and loses nothing. */
  readonly suspend: boolean;
  readonly snapshot?: string;
  /** How long a stop waits for a backup or the like. */
  readonly lockWaitSeconds: number;
}

export interface KeepInput {
  readonly options: KeepOptions;
  /** VMID → its snapshots, where one is to be taken. */
  readonly snapshots?: SnapshotLists;
  readonly have: Inventory;
  readonly index: ClusterView;
}

interface Kept {
  readonly steps: readonly Step[];
  readonly left?: Refusal;
}

interface Before {
  readonly dependsOn: readonly string[];
  readonly after: readonly string[];
}

/** `theirs`: there before the freeze, so that it keeps an earlier state. */
type Present = 'none' | 'done' | 'theirs' | 'unreadable';

function presentOne(vmid: number, frozen: string | undefined, name: string, input: KeepInput): Present {
  const list = input.snapshots?.get(vmid);
  if (!list) return 'unreadable';
  const one = list.find((snapshot) => snapshot.name === name);
  if (!one) return 'none';
  return isFromBefore(one, frozen) ? 'theirs' : 'done';
}

/** Why no snapshot of it is taken. */
function unkept(
  { view, one, present }: { view: StandView; one: StandMachine; present: Present },
  name: string,
  { index }: KeepInput,
): Refusal | undefined {
  switch (present) {
    case 'done':
      return undefined;
    case 'theirs':
      return earlierRefusal(one, name, 'give another name with --snapshot NAME');
    case 'unreadable':
      return snapshotsUnreadable(one);
    case 'none':
      return isReady(one) ? (heldBack(view, one, index) ?? incapableRefusal(one, index)) : undefined;
  }
}

/** Neither ours to write to nor somebody else's: told, since its state is not kept. */
function unreachable(stands: readonly StandView[]): Judged[] {
  return stands.flatMap((view) =>
    view.machines.flatMap((one) => {
      const { verdict, guest } = one;
      if (!guest || !one.isSelected || verdict === 'foreign' || isWritable(verdict)) return [];
      return [{ one, why: leftAs(verdict, { view, one }) }];
    }),
  );
}

/** Of a machine that cannot be suspended to where PVE writes it by itself. */
export const otherStorage = (what: Switched): string =>
  `run it with --stop, or afterwards ${sayPowerCommand('suspend', what, '--storage', 'ID')}`;
const offInstead = (what: Switched): string =>
  `run it with --stop, or afterwards ${sayPowerCommand('shutdown', what)}`;

type Suspendable = { readonly plan: Planned } | { readonly left: Refusal } | undefined;

function suspension(
  view: StandView,
  one: ReturnType<typeof actionable>[number],
  input: KeepInput,
): Suspendable {
  const { guest } = one;
  const power = machinePower(guest);
  const deed = deedFor('suspend', false, power);
  if (!deed) return undefined;
  const what = { lab: view.claim.lab, user: view.user, machine: one.machine };
  const obstacle = obstacleTo(deed, guest, { power, force: false, ...what });
  if (obstacle) return { left: obstacle };
  const place = placeForMemory(guest, { ...what, have: input.have, index: input.index, storage: undefined });
  if ('left' in place) {
    const hint = place.left.code === 'MEMORY_TIED' ? offInstead(what) : otherStorage(what);
    return { left: { ...place.left, hint } };
  }
  return { plan: { view, one, guest, power, deed, ...place } };
}

/** Of a pool's stands: what takes room on storages. */
export function suspended(stands: readonly StandView[], input: KeepInput): Planned[] {
  if (!input.options.suspend) return [];
  return stands.flatMap((view) =>
    actionable(view).flatMap((one) => {
      const found = suspension(view, one, input);
      return found && 'plan' in found ? [found.plan] : [];
    }),
  );
}

function snapshotStep(
  { pool, user, claim: { lab } }: StandView,
  { vmid, guest }: ReturnType<typeof actionable>[number],
  snapshot: string,
  before: Before,
): Step {
  const description = formatSnapshotMark({ lab, vmid, isBaseline: false });
  const frame = { user, ...before, reason: 'the state for grading' };
  return makeStep('vm.snapshot', `${vmid}`, frame, { ...oursAt(guest, pool), snapshot, description });
}

/** Off, or asleep. */
function powerStep(
  { pool, user }: StandView,
  { vmid, guest }: ReturnType<typeof actionable>[number],
  { before, storage }: { readonly before: Before; readonly storage?: string },
  { options: { lockWaitSeconds } }: KeepInput,
): Step {
  const frame = { user, ...before, reason: 'consoles that are open stay open while it runs' };
  const vm = { ...oursAt(guest, pool), lockWaitSeconds };
  return storage === undefined
    ? makeStep('vm.stop', `${vmid}`, frame, vm)
    : makeStep('vm.suspend', `${pool}/${vmid}`, frame, { ...vm, storage });
}

/** One machine of a freeze, and what becomes of its state. */
interface Keeping {
  readonly machine: ReturnType<typeof actionable>[number];
  readonly view: StandView;
  /** A snapshot is to be taken. */
  readonly isTaken: boolean;
  readonly unkept?: Refusal;
  readonly asleep: Suspendable;
}

function keepingOf(view: StandView, machine: Keeping['machine'], input: KeepInput): Keeping {
  const { snapshot, suspend } = input.options;
  const asleep = suspend ? suspension(view, machine, input) : undefined;
  if (snapshot === undefined) return { machine, view, isTaken: false, asleep };
  const present = presentOne(machine.vmid, frozenSince(view.mark), snapshot, input);
  const why = unkept({ view, one: machine, present }, snapshot, input);
  return {
    ...{ machine, view, asleep, isTaken: present === 'none' && why === undefined },
    ...(why ? { unkept: why } : {}),
  };
}

/** A snapshot comes before the power goes: nothing that somebody types into an open console is in it. */
export function keptState(
  stands: readonly StandView[],
  { before, noRoom }: { readonly before: Before; readonly noRoom?: Refusal },
  input: KeepInput,
): Kept {
  const { snapshot, stop, suspend } = input.options;
  if (snapshot === undefined && !stop && !suspend) return { steps: [] };
  const keeping = stands.flatMap((view) =>
    actionable(view).map((machine) => keepingOf(view, machine, input)),
  );
  const steps = keeping.flatMap(({ machine, view, isTaken, asleep }): Step[] => {
    const taken = snapshot !== undefined && isTaken ? [snapshotStep(view, machine, snapshot, before)] : [];
    const later = { ...before, after: [...before.after, ...taken.map(({ id }) => id)] };
    if (stop && machine.guest.status !== 'stopped')
      return [...taken, powerStep(view, machine, { before: later }, input)];
    const storage = asleep && 'plan' in asleep && !noRoom ? asleep.plan.storage : undefined;
    return storage === undefined
      ? taken
      : [...taken, powerStep(view, machine, { before: later, storage }, input)];
  });
  const lost = keeping.flatMap(({ machine: one, unkept: why }) => (why ? [{ one, why }] : []));
  const awake = keeping.flatMap(({ machine: one, asleep }) =>
    asleep && 'left' in asleep ? [{ one, why: asleep.left }] : [],
  );
  const told = [joined(lost), noRoom ?? joined(awake), joined(unreachable(stands))];
  const left = joinRefusals(
    told.flatMap((one) => one ?? []),
    '; ',
  );
  return { steps, ...(left ? { left } : {}) };
}
