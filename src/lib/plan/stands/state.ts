/** What exists of one user's stand: its pool's claim, its VMs and which machine each of them is. */
import type { Lab, User } from '../../config/types.ts';
import type { GuestInfo, VmConfig } from '../../inventory/types.ts';
import { findAdoption, type Adoption } from './adopt.ts';
import type { Taken } from '../cluster/free-vmids.ts';
import type { ClusterView } from '../cluster/view.ts';
import { isToldFinished, ownVmMark } from '../../marks/vm.ts';
import type { Claim, KeptMac, PoolMark } from '../../marks/pool.ts';
import { findNicShifts } from './nic-shift.ts';
import { adoptedSpec, nicShiftOf } from './spec.ts';
import { judgeClaimed } from './judge.ts';
import {
  doubtfulRefusal,
  leftPoolRefusal,
  lostRefusal,
  unsealedRefusal,
  unreadableRefusal,
  type Trouble,
} from './state-refusals.ts';
import { claimedIds, isWritable, type ClaimedId, type Verdict } from './ownership.ts';
import type { Refusal } from '../document/plan.ts';
import { joinRefusals } from '../document/refuse.ts';
import { toldKind, type GuestAt } from '../../pve-values/guest-kinds.ts';
import { poolRefusal } from './accounts.ts';
import { machineOf } from './which-machine.ts';

/** A VM of ours that exists and is not being cloned any more. */
export interface PresentVm extends GuestAt {
  readonly power: string;
  readonly config: VmConfig;
  /** Has it a mark of its own? Without one somebody edited the notes: whether it was finished cannot be told. */
  readonly marked: boolean;
  /** Spec in the mark. */
  readonly spec?: string;
  /** How far its cards stand behind where we put them: of machines that were taken over. */
  readonly nicShift: number;
  /** Was it configured? What joined its pool was; notes say it of others only. */
  readonly isFinished: boolean;
  /** Has it joined its pool? */
  readonly isJoined: boolean;
  /** It is to become ours: it has neither mark nor, unless a former run was cut short, a claim. */
  readonly takenOver?: true;
  readonly lock?: string;
}

/** A machine that the claim names, and of which nothing is there. */
interface OpenMachine {
  readonly vmid: number;
  /** Hashes that a clone of a former run may carry. */
  readonly seals: readonly string[];
  /** The claim says that it was made: somebody has removed it. */
  readonly wasMade: boolean;
  /** A clone is under way there. */
  readonly isInFlight: boolean;
  /** What its cards had before, and get again. */
  readonly macs?: readonly KeptMac[];
}

export interface StandState {
  readonly user: User;
  /** Undefined: the pool does not exist. */
  readonly mark: PoolMark | undefined;
  readonly claim: Claim | undefined;
  /** Machine name → its VM. */
  readonly present: ReadonlyMap<string, PresentVm>;
  /** Machine name → where it is to be cloned, or is being cloned. */
  readonly open: ReadonlyMap<string, OpenMachine>;
  /** Machines that are made anew: what is there of them, which goes first. They are `open`, too. */
  readonly remade?: ReadonlyMap<string, PresentVm>;
  /** Ids that 0.1.0 claimed and nothing stands at, ascending. */
  readonly openUnnamed: readonly number[];
  /** Machines that somebody took out of the pool: no second copy is made. */
  readonly leftPool: ReadonlySet<string>;
  /** Claimed ids at which a guest that is not ours stands, or no more: dropped from the claim. */
  readonly foreign: readonly number[];
  /** Machines that are made again in place of one that was taken out of the pool, which stays where it is. */
  readonly replaced: ReadonlySet<string>;
  /** Machines that the lab does not have, or no more. */
  readonly surplus: readonly SurplusMachine[];
  /** What is left undone, while the rest is done. */
  readonly left?: Refusal;
  readonly refused?: Refusal;
  readonly notes: readonly string[];
}

/** A machine that the claim names and the lab does not, whosever it is except somebody else's. */
export interface SurplusMachine {
  readonly machine: string;
  readonly vmid: number;
  readonly verdict: Verdict;
  /** Absent: nothing is there. */
  readonly guest?: GuestInfo;
  readonly config?: VmConfig;
}

interface Found extends Trouble {
  readonly surplus: SurplusMachine[];
  readonly present: Map<string, PresentVm>;
  readonly open: Map<string, OpenMachine>;
  readonly openUnnamed: number[];
  readonly foreign: number[];
  readonly replaced: Set<string>;
}

function toPresent(guest: GuestInfo, config: VmConfig, state: ClaimedId['state']): PresentVm {
  const mark = ownVmMark(guest.vmid, config.values);
  const spec = mark?.spec;
  const lock = config.values['lock'];
  return {
    vmid: guest.vmid,
    node: config.node,
    ...toldKind(guest),
    power: guest.status,
    config,
    marked: mark !== undefined,
    nicShift: nicShiftOf(spec),
    isJoined: state !== 'reserved',
    isFinished: state === 'made' || (isToldFinished(guest.vmid, config.values) ?? state === 'unstated'),
    ...(spec === undefined ? {} : { spec }),
    ...(lock === undefined ? {} : { lock }),
  };
}

function nothingFound(): Found {
  return {
    surplus: [],
    present: new Map(),
    open: new Map(),
    openUnnamed: [],
    leftPool: new Map(),
    lost: [],
    foreign: [],
    replaced: new Set(),
    unsealed: [],
    unreadable: [],
    zombies: [],
    away: [],
    cloning: [],
    doubtful: [],
    notes: [],
  };
}

function addOpen(found: Found, id: ClaimedId, isInFlight: boolean): void {
  if (id.machine === undefined) found.openUnnamed.push(id.vmid);
  else {
    const { vmid, seals, macs, state } = id;
    const wasMade = state === 'made';
    found.open.set(id.machine, { vmid, seals, wasMade, isInFlight, ...(macs ? { macs } : {}) });
  }
}

function addForeign(found: Found, { vmid }: ClaimedId): void {
  found.foreign.push(vmid);
  found.notes.push(`VMID ${vmid} was claimed, but the guest there is not ours; another id is used`);
}

/** It stays where its administrator put it; what becomes of it is no business of the stand any more. */
function addReplaced(found: Found, machine: string, { vmid, node }: GuestInfo): void {
  found.foreign.push(vmid);
  found.replaced.add(machine);
  found.notes.push(
    `VM ${vmid} (${machine}) stays on ${node} in no pool, and is no machine of the stand any more: another is made in its place`,
  );
}

function addGuest(found: Found, id: ClaimedId, verdict: Verdict, guest: GuestInfo): void {
  switch (verdict) {
    case 'in-flight':
      if (id.machine === undefined) found.cloning.push(guest);
      else addOpen(found, id, true);
      return;
    case 'foreign':
      addForeign(found, id);
      return;
    case 'unsealed':
      return void found.unsealed.push(guest);
    case 'left-pool':
      return void found.leftPool.set(id.machine ?? `VM ${id.vmid}`, guest);
    case 'zombie':
      return void found.zombies.push(guest);
    case 'away':
      return void found.away.push(guest);
    case 'doubtful':
      return void found.doubtful.push(guest);
    default:
      return void found.unreadable.push(guest);
  }
}

interface Whose {
  readonly user: User;
  readonly lab: Lab;
  readonly index: ClusterView;
}

/** What is wrong with a machine that the lab does not want keeps nobody's stand from being made. */
const TELLS_OF_STAND: ReadonlySet<Verdict> = new Set(['in-flight', 'foreign']);

function findVms(claim: Claim, { user, lab, index }: Whose, options: StateOptions): Found {
  const found = nothingFound();
  const taken = new Set(options.taken?.vmids);
  const wanted = new Set(lab.machines.map(({ name }) => name));
  for (const id of claimedIds(claim)) {
    const guest = index.guests.get(id.vmid);
    const config = index.configs.get(id.vmid);
    const verdict = judgeClaimed(id, { pool: user.pool, user: user.userid }, index);
    const { machine, vmid } = id;
    const isSurplus = machine !== undefined && !wanted.has(machine);
    if (isSurplus && verdict !== 'foreign') {
      found.surplus.push({
        machine,
        vmid,
        verdict,
        ...(guest ? { guest } : {}),
        ...(config ? { config } : {}),
      });
    }
    const isReplaced = verdict === 'left-pool' && machine !== undefined && options.replace?.has(machine);
    if (!guest && taken.has(id.vmid)) addForeign(found, id);
    else if (!guest) addOpen(found, id, false);
    else if (isReplaced && !isSurplus) addReplaced(found, machine, guest);
    else if (!config || !isWritable(verdict)) {
      if (!isSurplus || TELLS_OF_STAND.has(verdict)) addGuest(found, id, verdict, guest);
    } else place(found, id, toPresent(guest, config, id.state), lab);
  }
  return found;
}

function place(found: Found, id: ClaimedId, vm: PresentVm, lab: Lab): void {
  const machine = machineOf(id, vm.config, lab.name, lab.machines);
  if (machine === undefined || found.present.has(machine)) {
    found.lost.push(vm.vmid);
    return;
  }
  found.present.set(machine, vm);
  const { vmid } = vm;
  const isKnown = lab.machines.some(({ name }) => name === machine) || id.machine !== undefined;
  if (!isKnown) {
    found.notes.push(
      `VM ${vmid} is no machine of the lab: its notes, which its student can write, call it ${machine}; deploy leaves it, and cleanup removes it with the stand`,
    );
  }
}

/** What is taken over is no longer in doubt. */
function takeOver(found: Found, { user, lab, index }: Whose): Adoption {
  const present = [...found.present];
  const unmarked = [
    ...present.filter(([, vm]) => !vm.marked && vm.isJoined).map(([, vm]) => vm.vmid),
    ...found.doubtful.map((guest) => guest.vmid),
  ];
  const adoption = findAdoption({
    user,
    lab,
    index,
    settled: new Map(present.filter(([, vm]) => vm.marked).map(([machine, vm]) => [machine, vm.vmid])),
    unmarked: new Set(unmarked),
  });
  const shifts = findNicShifts(
    lab,
    new Map([...adoption.vms].map(([machine, { config }]) => [machine, config.values])),
    new Map(present.flatMap(([machine, vm]) => (vm.marked ? [[machine, vm.nicShift] as const] : []))),
  );
  for (const [machine, { guest, config }] of adoption.vms) {
    const nicShift = shifts.get(machine) ?? 0;
    found.present.set(machine, {
      ...toPresent(guest, config, 'made'),
      spec: adoptedSpec(nicShift),
      nicShift,
      takenOver: true,
    });
    const at = found.doubtful.indexOf(guest);
    if (at >= 0) found.doubtful.splice(at, 1);
  }
  return adoption;
}

function partsOf({ present, open, openUnnamed, leftPool, foreign, replaced, surplus }: Found) {
  return { present, open, openUnnamed, leftPool: new Set(leftPool.keys()), foreign, replaced, surplus };
}

interface StateOptions {
  readonly adopt: boolean;
  readonly taken?: Taken;
  /** Machines of which another is made where theirs was taken out of the pool. */
  readonly replace?: ReadonlySet<string>;
}

export function readStandState(user: User, lab: Lab, index: ClusterView, options: StateOptions): StandState {
  const mark = index.marks.get(user.pool);
  const claim = mark?.claims.find((candidate) => candidate.lab === lab.name);
  const base = { user, mark, claim };
  const foreign = poolRefusal(user, index, options.adopt);
  if (foreign) return { ...base, ...partsOf(nothingFound()), refused: foreign, notes: [] };
  const found = claim ? findVms(claim, { user, lab, index }, options) : nothingFound();
  const adoption = options.adopt && mark ? takeOver(found, { user, lab, index }) : undefined;
  const refused =
    unreadableRefusal(found, index) ??
    adoption?.refused ??
    doubtfulRefusal(found, user.pool) ??
    joinRefusals(found.unsealed.map(unsealedRefusal), '\n') ??
    lostRefusal(found, lab, user.pool);
  const left = leftPoolRefusal(found, user.pool, new Set(lab.machines.map(({ name }) => name)));
  return {
    ...base,
    ...partsOf(found),
    ...(left ? { left } : {}),
    notes: [...found.notes, ...(adoption?.notes ?? [])],
    ...(refused ? { refused } : {}),
  };
}
