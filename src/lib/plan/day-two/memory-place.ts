/** The storage that takes the memory of a machine that is suspended to disk, or why there is none. */
import type { GuestInfo, Inventory } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import { memoryTies } from '../../pve-values/sealed-memory.ts';
import { stateStorageOf } from '../stands/saved-memory.ts';
import { sayPowerCommand, type Switched } from './power-command.ts';

/** Where PVE would write it, if the caller could see it. */
function noStorage({ vmid, node }: GuestInfo, storage: string | undefined): Refusal {
  if (storage === undefined) {
    return {
      code: 'VM_UNREADABLE',
      message: `VM ${vmid} on ${node}: its configuration cannot be read, which tells where its memory goes`,
      hint: 'name a storage with --storage',
    };
  }
  return {
    code: 'STATE_STORAGE',
    message: `VM ${vmid} on ${node}: storage ${storage}, for its memory, is not there, or not to be seen`,
    hint: `name another one with --storage, or grant Datastore.AllocateSpace on /storage/${storage}`,
  };
}

/** Why PVE writes no memory of it. `say`: the machine; `hint`: what can be done instead. */
export function tiedMemory(
  values: Readonly<Record<string, string>>,
  { say, hint }: { readonly say: string; readonly hint: string },
): Refusal | undefined {
  const ties = memoryTies(values);
  if (ties.length === 0) return undefined;
  return {
    code: 'MEMORY_TIED',
    message: `${say} has ${ties.join(', ')}: PVE saves no memory of such a machine`,
    hint,
  };
}

/** `storage`: as asked for; absent: the one that PVE chooses. */
export function placeForMemory(
  guest: GuestInfo,
  {
    have,
    index,
    storage: asked,
    ...what
  }: Switched & {
    readonly have: Pick<Inventory, 'storages'>;
    readonly index: Pick<ClusterView, 'configs'>;
    readonly storage: string | undefined;
  },
): { readonly storage: string } | { readonly left: Refusal } {
  const rows = new Map(
    have.storages.filter(({ node }) => node === guest.node).map((row) => [row.storage, row]),
  );
  const values = index.configs.get(guest.vmid)?.values;
  const tied = tiedMemory(values ?? {}, {
    say: `VM ${guest.vmid} on ${guest.node}`,
    hint: `${sayPowerCommand('shutdown', what)}, or ${sayPowerCommand('suspend', what, '--pause')}, which keeps its memory in the host`,
  });
  if (tied) return { left: tied };
  const storage = asked ?? (values && stateStorageOf(values, rows));
  return storage === undefined || !rows.has(storage) ? { left: noStorage(guest, storage) } : { storage };
}
