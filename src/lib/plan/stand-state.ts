/** What exists of one user's stand: its pool's claim, its VMs and which machine each of them is. */
import type { Lab, User } from '../config/types.ts';
import type { GuestInfo, VmConfig } from '../inventory/types.ts';
import { findAdoption, type Adoption } from './adopt.ts';
import type { HaveIndex } from './have-index.ts';
import { parseVmMark } from '../marks/vm.ts';
import type { Claim, PoolMark } from '../marks/pool.ts';
import { ADOPTED_SPEC } from './spec.ts';
import type { Refusal } from './document/plan.ts';
import { poolRefusal } from './user-rules.ts';

/** A VM of ours that exists and is not being cloned any more. */
export interface PresentVm {
  readonly vmid: number;
  readonly node: string;
  readonly power: string;
  readonly config: VmConfig;
  /** Has it a mark of its own? Without one somebody edited the notes: whether it was finished cannot be told. */
  readonly marked: boolean;
  /** Spec in the mark; a marked VM without it is unfinished. */
  readonly spec?: string;
  /** It is to become ours: it has neither mark nor, unless a former run was cut short, a claim. */
  readonly takenOver?: true;
  readonly inPool: boolean;
  readonly lock?: string;
}

export interface StandState {
  readonly user: User;
  /** Undefined: the pool does not exist. */
  readonly mark: PoolMark | undefined;
  readonly claim: Claim | undefined;
  /** Machine name → its VM. */
  readonly present: ReadonlyMap<string, PresentVm>;
  /** Claimed ids without a finished VM, ascending: never cloned, or under way. */
  readonly open: readonly number[];
  /** Claimed ids at which a guest that is not ours stands: dropped from the claim. */
  readonly foreign: readonly number[];
  readonly refused?: Refusal;
  readonly notes: readonly string[];
}

interface Found {
  readonly present: Map<string, PresentVm>;
  readonly open: number[];
  readonly lost: number[];
  readonly foreign: number[];
  readonly unreadable: GuestInfo[];
  readonly zombies: GuestInfo[];
  /** On a node that is offline. */
  readonly away: GuestInfo[];
  /** Members of the pool at a claimed id that nothing shows to be ours. */
  readonly doubtful: GuestInfo[];
  readonly notes: string[];
}

/** Ours: claimed, and a member of the pool or marked with its own VMID. A clone under way shows neither name nor mark. */
function isOurs(vmid: number, guest: GuestInfo, config: VmConfig | undefined, pool: string): boolean {
  return guest.pool === pool || parseVmMark(config?.values['description'] ?? '')?.vmid === vmid;
}

function machineOf(vmid: number, config: VmConfig, lab: Lab): string | undefined {
  const mark = parseVmMark(config.values['description'] ?? '');
  if (mark?.vmid === vmid && mark.lab === lab.name) return mark.machine;
  const name = config.values['name'];
  return lab.machines.some((machine) => machine.name === name) ? name : undefined;
}

function toPresent(guest: GuestInfo, config: VmConfig, pool: string): PresentVm {
  const mark = parseVmMark(config.values['description'] ?? '');
  const marked = mark?.vmid === guest.vmid;
  const spec = marked ? mark.spec : undefined;
  const lock = config.values['lock'];
  return {
    vmid: guest.vmid,
    node: config.node,
    power: guest.status,
    config,
    inPool: guest.pool === pool,
    marked,
    ...(spec === undefined ? {} : { spec }),
    ...(lock === undefined ? {} : { lock }),
  };
}

/**
 * An id that was claimed and never used makes any guest that is later created there a member of the pool. Only a
 * student can have removed our mark, and none had access before the stand was finished.
 */
function doubtfulRefusal(found: Found, pool: string): Refusal | undefined {
  const [guest] = found.doubtful;
  if (!guest) return undefined;
  return {
    code: 'UNMARKED_VM',
    message: `VM ${guest.vmid} (${guest.name ?? 'no name'}) on ${guest.node} stands at an id that pool ${pool} has claimed, but carries no mark of ours: it may be somebody else's`,
    hint: `take VM ${guest.vmid} out of pool ${pool}, or remove it if nobody needs it, then run again; if it is the student's, take it over with --adopt`,
  };
}

function nothingFound(): Found {
  return {
    present: new Map(),
    open: [],
    lost: [],
    foreign: [],
    unreadable: [],
    zombies: [],
    away: [],
    doubtful: [],
    notes: [],
  };
}

function findVms(claim: Claim, user: User, lab: Lab, index: HaveIndex): Found {
  const wasHandedOut = index.acls.has(`/pool/${user.pool} ${user.userid}`);
  const found = nothingFound();
  for (const vmid of claim.vmids) {
    const guest = index.guests.get(vmid);
    const config = index.configs.get(vmid);
    if (!guest) {
      found.open.push(vmid);
    } else if (!index.online.has(guest.node)) {
      found.away.push(guest);
    } else if (!config && guest.lock !== 'clone') {
      found.unreadable.push(guest);
    } else if (!isOurs(vmid, guest, config, user.pool)) {
      found.foreign.push(vmid);
      found.notes.push(`VMID ${vmid} was claimed, but the guest there is not ours; another id is used`);
    } else if (!config || config.values['lock'] === 'clone') {
      found.open.push(vmid);
    } else if (config.values['lock'] === 'destroyed') {
      found.zombies.push(guest);
    } else if (!wasHandedOut && parseVmMark(config.values['description'] ?? '')?.vmid !== vmid) {
      found.doubtful.push(guest);
    } else {
      place(found, toPresent(guest, config, user.pool), lab);
    }
  }
  return found;
}

function place(found: Found, vm: PresentVm, lab: Lab): void {
  const machine = machineOf(vm.vmid, vm.config, lab);
  if (machine === undefined || found.present.has(machine)) {
    found.lost.push(vm.vmid);
    return;
  }
  found.present.set(machine, vm);
  if (!lab.machines.some((candidate) => candidate.name === machine)) {
    found.notes.push(
      `VM ${vm.vmid} (${machine}) is no longer in the lab; deploy leaves it, cleanup removes it`,
    );
  }
}

/** What is taken over is no longer in doubt. */
function takeOver(found: Found, user: User, lab: Lab, index: HaveIndex): Adoption {
  const present = [...found.present];
  const unmarked = [
    ...present.filter(([, vm]) => !vm.marked && vm.inPool).map(([, vm]) => vm.vmid),
    ...found.doubtful.map((guest) => guest.vmid),
  ];
  const adoption = findAdoption({
    user,
    lab,
    index,
    settled: new Map(present.filter(([, vm]) => vm.marked).map(([machine, vm]) => [machine, vm.vmid])),
    unmarked: new Set(unmarked),
  });
  for (const [machine, { guest, config }] of adoption.vms) {
    found.present.set(machine, {
      ...toPresent(guest, config, user.pool),
      spec: ADOPTED_SPEC,
      takenOver: true,
    });
    const at = found.doubtful.indexOf(guest);
    if (at >= 0) found.doubtful.splice(at, 1);
  }
  return adoption;
}

function unmarkedNotes(found: Found): string[] {
  return [...found.present].flatMap(([machine, vm]) =>
    vm.marked || vm.takenOver
      ? []
      : [`VM ${vm.vmid} (${machine}) lost its mark in the notes; known by its name and left as it is`],
  );
}

function lostRefusal(found: Found, lab: Lab, pool: string): Refusal | undefined {
  const [vmid] = found.lost;
  if (vmid === undefined) return undefined;
  const isMissing = lab.machines.some((machine) => !found.present.has(machine.name));
  if (!isMissing) {
    found.notes.push(
      `VM ${found.lost.join(', ')} in pool ${pool} is claimed, but no machine of the lab; left alone`,
    );
    return undefined;
  }
  return {
    code: 'UNKNOWN_MACHINE',
    message: `VM ${vmid} in pool ${pool} is ours, but neither its name nor its notes tell which machine it is`,
    hint: `name VM ${vmid} after its machine again (${lab.machines.map((machine) => machine.name).join(', ')}), or remove it`,
  };
}

function unreadableRefusal(found: Found): Refusal | undefined {
  const [zombie] = found.zombies;
  if (zombie) {
    return {
      code: 'ZOMBIE_VM',
      message: `VM ${zombie.vmid} on ${zombie.node} is the rest of a failed removal (lock: destroyed)`,
      hint: `as root on ${zombie.node}: \`qm unlock ${zombie.vmid} && qm destroy ${zombie.vmid} --purge\`, then run again`,
    };
  }
  const [away] = found.away;
  if (away) {
    return {
      code: 'NODE_OFFLINE',
      message: `VM ${found.away.map(({ vmid }) => vmid).join(', ')} of this stand ${found.away.length === 1 ? 'is' : 'are'} on ${away.node}, which is offline; no second copy is made`,
      hint: `run again when ${away.node} is back`,
    };
  }
  const [guest] = found.unreadable;
  if (!guest) return undefined;
  return {
    code: 'VM_UNREADABLE',
    message: `VM ${guest.vmid} on ${guest.node} belongs to this stand, but its configuration cannot be read`,
    hint: `see that node ${guest.node} is online and that the caller has VM.Audit, then run again`,
  };
}

export function readStandState(
  user: User,
  lab: Lab,
  index: HaveIndex,
  options: { adopt: boolean },
): StandState {
  const mark = index.marks.get(user.pool);
  const claim = mark?.claims.find((candidate) => candidate.lab === lab.name);
  const base = { user, mark, claim };
  const foreign = poolRefusal(user, mark, options.adopt);
  if (foreign) return { ...base, present: new Map(), open: [], foreign: [], refused: foreign, notes: [] };
  const found = claim ? findVms(claim, user, lab, index) : nothingFound();
  const adoption = options.adopt && mark ? takeOver(found, user, lab, index) : undefined;
  const refused =
    unreadableRefusal(found) ??
    adoption?.refused ??
    doubtfulRefusal(found, user.pool) ??
    lostRefusal(found, lab, user.pool);
  return {
    ...base,
    present: found.present,
    open: found.open,
    foreign: found.foreign,
    notes: [...found.notes, ...unmarkedNotes(found), ...(adoption?.notes ?? [])],
    ...(refused ? { refused } : {}),
  };
}
