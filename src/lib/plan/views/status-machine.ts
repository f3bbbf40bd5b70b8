/** How one machine of a stand is, in one word, and what is wrong with it. Reads nothing. */
import type { GuestInfo, Removal } from '../../inventory/types.ts';
import { toldKind } from '../../pve-values/guest-kinds.ts';
import { machinePower } from '../../pve-values/machine-power.ts';
import { momentOf } from '../../pve-values/moment.ts';
import { isLasting } from '../cluster/locks.ts';
import type { StandMachine, StandView } from '../stands/selected.ts';
import { isUnfinished, type Verdict } from '../stands/ownership.ts';
import { baselineOf } from '../stands/snapshots.ts';
import type {
  MachineState,
  MachineStatus,
  Problem,
  ProblemKind,
  SnapshotStatus,
  StatusContext,
  StatusDetails,
} from './status-types.ts';

const BY_VERDICT: Readonly<Partial<Record<Verdict, MachineState>>> = {
  missing: 'missing',
  open: 'not made',
  'in-flight': 'cloning',
  unjoined: 'half made',
  unreadable: 'half made',
  'left-pool': 'out of its pool',
  foreign: 'not ours',
  zombie: 'half removed',
  away: 'node offline',
  doubtful: 'in doubt',
  unsealed: 'seal lost',
};

const ODD: readonly MachineState[] = ['io-error', 'internal-error'];

function powerOf(guest: GuestInfo): MachineState {
  const power = machinePower(guest);
  if (power !== 'running' && power !== 'suspending') return power;
  return ODD.find((state) => state === guest.monitor) ?? 'running';
}

/** What the verdict says is more than that it is being made. */
const SAID_ANYHOW: ReadonlySet<Verdict> = new Set(['in-flight', 'away']);

/** Reserved, there or not: it would be the rest of a run that was cut short if none were at work. */
export function isBeingMade(one: StandMachine, isMaking: boolean): boolean {
  if (!isMaking || one.state !== 'reserved' || SAID_ANYHOW.has(one.verdict)) return false;
  return isUnfinished(one, one.verdict, one.config?.values) !== false;
}

/** One that failed, and what a student took away alone, is none. */
function isBeingRemoved({ vmid, guest }: StandMachine, removed?: ReadonlyMap<number, Removal>): boolean {
  const removal = removed?.get(vmid);
  return removal !== undefined && (!guest || removal.was === 'running');
}

interface Home {
  readonly pool: string;
  readonly lab: string;
}

function stateOf(one: StandMachine, context: StatusContext, { pool, lab }: Home): MachineState {
  const { sees, isMaking, removed } = context;
  const { verdict, guest } = one;
  if (!guest && !sees(pool)) return 'unknown';
  if (isBeingMade(one, isMaking)) return 'being made';
  if (isBeingRemoved(one, removed.get(lab))) return 'being removed';
  if (verdict === 'ours' && guest) return powerOf(guest);
  return BY_VERDICT[verdict] ?? 'unknown';
}

function snapshotsOf(
  { vmid, machine = '' }: StandMachine,
  { snapshots, baselines }: StatusDetails,
): SnapshotStatus[] | null {
  const list = snapshots?.get(vmid);
  if (!list) return null;
  const baseline = baselineOf(list, vmid, baselines?.get(machine));
  return list.map(({ name, time, withMemory }) => ({
    name,
    time: time === undefined ? null : momentOf(time),
    vmstate: withMemory,
    isBaseline: name === baseline,
  }));
}

/** Of a guest that is not ours nothing is told but that it is there. */
export function machineStatus(
  one: StandMachine,
  { pool, claim }: StandView,
  context: StatusContext,
): MachineStatus {
  const { details, resting } = context;
  const { vmid, machine = null, verdict, guest } = one;
  const state = stateOf(one, context, { pool, lab: claim.lab });
  const isShown = guest !== undefined && verdict !== 'foreign';
  const use = isShown && guest.status === 'running' ? guest.use : undefined;
  return {
    ...{ vmid, machine, state, verdict },
    ...(state === 'stopped' && resting.get(claim.lab)?.has(machine ?? '') === true ? { rests: true } : {}),
    node: isShown ? guest.node : null,
    lock: isShown ? (guest.lock ?? null) : null,
    uptime: use?.uptime ?? null,
    cpu: use?.cpu ?? null,
    cpus: isShown ? guest.cpus : null,
    memory: use?.memory ?? null,
    memoryTotal: isShown ? guest.memory : null,
    ...(details.addresses ? { addresses: details.addresses.get(vmid) ?? null } : {}),
    ...(details.snapshots ? { snapshots: snapshotsOf(one, details) } : {}),
    ...(details.drift ? { drift: details.drift.get(vmid) ?? null } : {}),
  };
}

/** `away` is told of the node. A reserved one without a guest waits for its deploy as a missing one does. */
const PROBLEMS: Readonly<Partial<Record<MachineState, ProblemKind>>> = {
  missing: 'machine-missing',
  'not made': 'machine-missing',
  'half made': 'machine-half-made',
  'not ours': 'machine-not-ours',
  'out of its pool': 'machine-left-pool',
  'half removed': 'machine-half-removed',
  'in doubt': 'machine-in-doubt',
  'seal lost': 'machine-unsealed',
  paused: 'paused',
  'io-error': 'io-error',
  'internal-error': 'internal-error',
};

/** Of what a student may change only cards that lead elsewhere are wrong. */
const BY_DRIFT = {
  'foreign-bridge': 'card-on-foreign-bridge',
  card: 'card-elsewhere',
  resource: undefined,
  waiting: undefined,
} as const;

function cardProblems(vmid: number, at: Omit<Problem, 'kind'>, { drift }: StatusDetails): Problem[] {
  const changed = drift?.get(vmid);
  if (!changed || changed === 'pending') return [];
  return changed.flatMap(({ kind, text }): Problem[] => {
    const problem = BY_DRIFT[kind];
    return problem === undefined ? [] : [{ kind: problem, ...at, detail: text }];
  });
}

export function machineProblems(
  { user, pool, claim: { lab } }: StandView,
  one: StandMachine,
  context: StatusContext,
): Problem[] {
  const { busy, details } = context;
  const { vmid, machine, guest, verdict } = one;
  const at = {
    ...{ user, lab, vmid },
    ...(machine === undefined ? {} : { machine }),
    ...(guest ? { ...toldKind(guest), node: guest.node } : {}),
  };
  const found = PROBLEMS[stateOf(one, context, { pool, lab })];
  // Somebody is at it.
  const kind = found === 'machine-half-removed' && busy?.has(vmid) ? undefined : found;
  const lock = verdict === 'ours' ? guest?.lock : undefined;
  const isLeft = lock !== undefined && !isLasting(lock) && busy?.has(vmid) === false;
  return [
    ...(kind ? [{ kind, ...at }] : []),
    ...(verdict === 'ours' && guest?.template === true
      ? [{ kind: 'machine-is-template' as const, ...at }]
      : []),
    ...cardProblems(vmid, at, details),
    ...(isLeft ? [{ kind: 'lock-without-task' as const, ...at, detail: lock }] : []),
  ];
}
