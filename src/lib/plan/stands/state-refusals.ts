/** What of a stand's claimed VMs keeps the stand from being made, and the way out. Finds none of them. */
import { asRoot, destroyCommand } from '../../pve-values/admin-commands.ts';
import { LOCK } from '../../pve-values/guest-kinds.ts';
import type { Lab } from '../../config/types.ts';
import type { GuestInfo } from '../../inventory/types.ts';
import { holdHint, holdOn, sayHold } from '../cluster/locks.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';

/** Guests at claimed VMIDs that are no machines to work on, by what is the matter. */
export interface Trouble {
  /** Machine name → its VM, where it is there. */
  readonly present: ReadonlyMap<string, unknown>;
  readonly leftPool: Map<string, GuestInfo>;
  readonly lost: number[];
  readonly unreadable: GuestInfo[];
  readonly zombies: GuestInfo[];
  /** On a node that is offline. */
  readonly away: GuestInfo[];
  /** Clones under way that 0.1.0 began: they carry no seal, and are judged when they are done. */
  readonly cloning: GuestInfo[];
  /** Members of the pool at an id that 0.1.0 claimed, and nothing shows them to be ours. */
  readonly doubtful: GuestInfo[];
  /** Without the seal, where they may be ours. */
  readonly unsealed: GuestInfo[];
  readonly notes: string[];
}

/**
 * 0.1.0 claimed by membership: an id that was never used made any guest that was later created there a member of the
 * pool. Only a student can have removed our mark, and none had access before the stand was finished.
 */
export function doubtfulRefusal(found: Trouble, pool: string): Refusal | undefined {
  const [guest] = found.doubtful;
  if (!guest) return undefined;
  return {
    code: 'UNMARKED_VM',
    message: `VM ${guest.vmid} (${guest.name ?? 'no name'}) on ${guest.node} stands at an id that pool ${pool} has claimed, but carries no mark of ours: it may be somebody else's`,
    hint: `take VM ${guest.vmid} out of pool ${pool}, or remove it if nobody needs it, then run again; if it is the student's, take it over with --adopt`,
  };
}

/** By every command: nothing but a person can tell what it is. */
export function unsealedRefusal(
  guest: Pick<GuestInfo, 'vmid'> & Partial<Pick<GuestInfo, 'type' | 'node' | 'name'>>,
): Refusal {
  const { vmid, node: where = 'its node', name } = guest;
  return {
    code: 'SEAL_LOST',
    message: `VM ${vmid} (${name ?? 'no name'}) on ${where} stands where a machine was being made, and does not carry its seal: it may be that machine, with other notes, or one that somebody made there; it is left alone, and no second copy is made`,
    hint: `look at VM ${vmid}, remove it (${asRoot({ node: where }, destroyCommand(guest))}), then run again`,
  };
}

export function leftPoolRefusal(
  found: Trouble,
  pool: string,
  wanted: ReadonlySet<string>,
): Refusal | undefined {
  const [[machine, guest] = []] = found.leftPool;
  if (machine === undefined || !guest) return undefined;
  const all = [...found.leftPool].map(([name, { vmid }]) => `${vmid} (${name})`).join(', ');
  // Those of 0.1.0's claims have no name to say.
  const names = [...found.leftPool.keys()].filter((name) => wanted.has(name));
  const another = names.map((name) => `--replace ${name}`).join(' ');
  return {
    code: 'LEFT_POOL',
    message: `VM ${all} is in no pool any more: somebody took it out of pool ${pool}, so it is left alone, and no second copy is made`,
    hint: `put VM ${guest.vmid} back into pool ${pool}, or remove it, then run again${another === '' ? '' : `; deploy ${another} makes another in its place`}`,
  };
}

export function lostRefusal(found: Trouble, lab: Lab, pool: string): Refusal | undefined {
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

/** In a deploy only a removal makes one: whether it failed, or is under way. */
function zombieRefusal(guest: GuestInfo, tasks: ClusterView['tasks']): Refusal {
  const hold = holdOn(guest, LOCK.destroyed, tasks);
  return {
    code: hold.kind === 'operation' ? 'VM_LOCKED' : 'ZOMBIE_VM',
    message: `VM ${guest.vmid} on ${guest.node} ${sayHold(hold)}`,
    hint: `${holdHint(guest, hold)}, then run again`,
  };
}

export function unreadableRefusal(found: Trouble, { tasks }: ClusterView): Refusal | undefined {
  const [zombie] = found.zombies;
  if (zombie) return zombieRefusal(zombie, tasks);
  const [away] = found.away;
  if (away) {
    return {
      code: 'NODE_OFFLINE',
      message: `VM ${found.away.map(({ vmid }) => vmid).join(', ')} of this stand ${found.away.length === 1 ? 'is' : 'are'} on ${away.node}, which is offline; no second copy is made`,
      hint: `run again when ${away.node} is back`,
    };
  }
  const [clone] = found.cloning;
  if (clone) {
    return {
      code: 'CLONE_RUNNING',
      message: `VM ${clone.vmid} on ${clone.node} is still being cloned, by a run of deploy-stand 0.1.0`,
      hint: 'run again when the clone has ended',
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
