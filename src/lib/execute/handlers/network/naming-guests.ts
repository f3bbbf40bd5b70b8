/**
 * Which bridges the guests of a node name, read once per run and node. PVE lists no bridge of a sourced file and none
 * that somebody made by hand: guests that are on them are what tells of such a number. Their snapshots count, too: going
 * back to one brings its network cards back and asks for no right on the bridge, whoever has its number by then. Writes
 * nothing.
 */
import pMap from 'p-map';
import { PveError } from '../../../proxmox/errors.ts';
import { isGuestKind } from '../../../pve-values/guest-kinds.ts';
import { bridgesIn } from '../../../pve-values/nics.ts';
import type { ResourceRow } from '../../../proxmox/types.ts';
import type { NamingGuest, StepIo } from '../../types.ts';

/** pveproxy runs three workers per node, and a plan makes bridges on many nodes at once. */
const PARALLEL_READS = 6;

async function bridgesNamedBy({ type, node = '', vmid = 0 }: ResourceRow, io: StepIo): Promise<string[]> {
  const guest = { node, vmid, ...(isGuestKind(type) ? { type } : {}) };
  // Before the configuration: what somebody goes back to and deletes meanwhile is then seen as it runs.
  const saved = (await io.pve.snapshotConfigs(guest, io.signal)).flatMap(bridgesIn);
  if (type === 'lxc') return [...saved, ...bridgesIn((await io.pve.guestConfig(guest, io.signal)) ?? {})];
  const found = await io.pve.vmPending(guest, io.signal);
  return [...saved, ...bridgesIn(found?.now ?? {}), ...bridgesIn(found?.next ?? {})];
}

async function readGuest(row: ResourceRow, io: StepIo): Promise<NamingGuest> {
  const { vmid = 0 } = row;
  try {
    return { vmid, bridges: new Set(await bridgesNamedBy(row, io)) };
  } catch (error) {
    if (!(error instanceof PveError)) throw error;
    return { vmid, because: error.message };
  }
}

async function readNode(node: string, io: StepIo): Promise<readonly NamingGuest[]> {
  io.guestReads.list ??= io.pve.resources(io.signal);
  const rows = await io.guestReads.list;
  const there = rows.filter((row) => row.node === node && isGuestKind(row.type));
  return pMap(there, (row) => readGuest(row, io), { concurrency: PARALLEL_READS });
}

/** A reading that failed is none: the step tries again, and another step reads anew. */
export async function namingGuests(node: string, io: StepIo): Promise<readonly NamingGuest[]> {
  const { guestReads } = io;
  const reading = guestReads.byNode.get(node) ?? readNode(node, io);
  guestReads.byNode.set(node, reading);
  try {
    return await reading;
  } catch (error) {
    if (guestReads.byNode.get(node) === reading) guestReads.byNode.delete(node);
    guestReads.list = undefined;
    throw error;
  }
}
