/** What `--adopt` counts as a stand of the older Python tool, which marks nothing: one rule for deploy and cleanup. Plans no step. */
import { isTemplate, nameIn } from '../../pve-values/guest-flags.ts';
import { mayBeMachine } from '../../pve-values/guest-kinds.ts';
import type { Lab, User } from '../../config/types.ts';
import type { GuestInfo, VmConfig } from '../../inventory/types.ts';
import { holdHint, holdOn, sayHold } from '../cluster/locks.ts';
import type { ClusterView } from '../cluster/view.ts';
import { parseVmMark } from '../../marks/vm.ts';
import type { Refusal } from '../document/plan.ts';

/** PVE keeps at most this many characters of notes (qemu-server, `description`). */
const LONGEST_NOTES = 8192;
const ROOM_FOR_MARK = 400;

/** Members of the pool that are called like a machine, claimed or not, containers and templates included. */
export function lookAlikes(
  pool: string,
  machines: ReadonlySet<string>,
  index: ClusterView,
): readonly { readonly guest: GuestInfo; readonly machine: string }[] {
  return (index.members.get(pool) ?? []).flatMap((guest) => {
    // The cluster's list lags behind the configuration. Where they differ it is in doubt what the guest is.
    const name = nameIn(index.configs.get(guest.vmid)?.values);
    const machine = guest.name ?? name;
    const isSure = machine !== undefined && machines.has(machine) && (name === undefined || name === machine);
    return isSure ? [{ guest, machine }] : [];
  });
}

export function adoptedBecause(pool: string, machine: string): string {
  return `no mark; adopted: in pool ${pool}, called ${machine} like a machine of the lab`;
}

export interface Adoption {
  /** Machine → the VM that is taken over as it. */
  readonly vms: ReadonlyMap<string, { readonly guest: GuestInfo; readonly config: VmConfig }>;
  readonly refused?: Refusal;
  readonly notes: readonly string[];
}

export interface AdoptionInput {
  readonly user: User;
  readonly lab: Lab;
  readonly index: ClusterView;
  /** Machine → VMID of the VM of ours that is this machine already and says so itself. */
  readonly settled: ReadonlyMap<string, number>;
  /** Claimed for this lab, members of the pool, and without a mark: a takeover that was cut short. */
  readonly unmarked: ReadonlySet<number>;
}

function refusal(code: string, message: string, hint: string): Refusal {
  return { code, message, hint: `${hint}, then run again; nothing of this stand was changed` };
}

function stepAside(vmid: number, pool: string): string {
  return `take guest ${vmid} out of pool ${pool}, or rename it`;
}

/** Why this guest cannot be taken over although its name fits. */
function obstacle(
  guest: GuestInfo,
  machine: string,
  { user, lab, index }: AdoptionInput,
): Refusal | undefined {
  const { vmid, node } = guest;
  const { pool, userid } = user;
  const config = index.configs.get(vmid);
  const says = (code: string, what: string, hint = stepAside(vmid, pool)) =>
    refusal(
      code,
      `guest ${vmid} on ${node} is in pool ${pool} and called ${machine} like a machine of the lab, but ${what}`,
      hint,
    );
  if (!mayBeMachine(guest)) return says('ADOPT_CONTAINER', 'it is a container');
  const other = (index.claimants.get(vmid) ?? []).find((claimant) => claimant !== pool);
  if (other !== undefined) return says('ADOPT_CLAIMED', `pool ${other} claims it`);
  const lock = config?.values['lock'] ?? guest.lock;
  const hold = lock === undefined ? undefined : holdOn(guest, lock, index.tasks);
  if (hold) return says('ADOPT_LOCKED', `it ${sayHold(hold)}`, holdHint(guest, hold));
  if (guest.template || isTemplate(config?.values)) return says('ADOPT_TEMPLATE', 'it is a template');
  if (!config) {
    const hint = `see that node ${node} is online and that the caller has VM.Audit`;
    return says('VM_UNREADABLE', 'its configuration cannot be read', hint);
  }
  const notes = config.values['description'] ?? '';
  const mark = parseVmMark(notes);
  if (mark && (mark.vmid !== vmid || mark.user !== userid || mark.lab !== lab.name)) {
    const whose = `VM ${mark.vmid} (${mark.machine} of ${mark.user} in lab ${mark.lab})`;
    return says(
      'ADOPT_COPY',
      `its notes are those of ${whose}`,
      `${stepAside(vmid, pool)}, or take our line out of its notes`,
    );
  }
  if (notes.length + ROOM_FOR_MARK > LONGEST_NOTES)
    return says('ADOPT_NOTES', 'its notes leave no room for our mark', `shorten the notes of VM ${vmid}`);
  return undefined;
}

/** A stand is taken over as a whole or not at all: the first doubt refuses it. */
export function findAdoption(input: AdoptionInput): Adoption {
  const { user, lab, index, settled, unmarked } = input;
  const names = new Set(lab.machines.map((machine) => machine.name));
  const vms = new Map<string, { guest: GuestInfo; config: VmConfig }>();
  const notes: string[] = [];
  const none = (refused: Refusal): Adoption => ({ vms: new Map(), refused, notes });
  for (const { guest, machine } of lookAlikes(user.pool, names, index)) {
    const { vmid } = guest;
    const own = settled.get(machine);
    const isClaimedHere = index.claimants.get(vmid)?.includes(user.pool) === true;
    if (own === vmid || (isClaimedHere && !unmarked.has(vmid))) continue;
    if (own !== undefined) {
      notes.push(
        `guest ${vmid} in pool ${user.pool} is called ${machine}, too, but VM ${own} is it: left alone`,
      );
      continue;
    }
    const refused = obstacle(guest, machine, input);
    if (refused) return none(refused);
    const config = index.configs.get(vmid);
    const former = vms.get(machine);
    if (former) {
      return none(
        refusal(
          'ADOPT_TWICE',
          `guests ${former.guest.vmid} and ${vmid} in pool ${user.pool} are both called ${machine}`,
          stepAside(vmid, user.pool),
        ),
      );
    }
    if (config) vms.set(machine, { guest, config });
  }
  return { vms, notes };
}
