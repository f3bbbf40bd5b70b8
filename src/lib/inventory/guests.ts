/** Guests as they are now, with their configurations: by the nodes' own lists, which do not lag, and one call per guest in scope. */
import { createHash } from 'node:crypto';
import pMap from 'p-map';
import { AuthError, UnreachableError } from '../proxmox/errors.ts';
import type { PveApi } from '../proxmox/types.ts';
import { MADE_KINDS, mayBeMachine, toldKind } from '../pve-values/guest-kinds.ts';
import { unlessForbidden } from './forbidden.ts';
import { PARALLEL_READS } from './parallel.ts';
import { guestsOf, ownName } from './rows.ts';
import type { GuestInfo, VmConfig } from './types.ts';

export async function readConfig(
  pve: PveApi,
  guest: GuestInfo,
  signal: AbortSignal | undefined,
): Promise<VmConfig[]> {
  try {
    const values = await pve.guestConfig(guest, signal);
    if (!values) return [];
    // Always present in PVE's answer; a hash of the rest serves where a proxy stripped it.
    const digest = values['digest'] ?? createHash('sha1').update(JSON.stringify(values)).digest('hex');
    return [{ vmid: guest.vmid, node: guest.node, ...toldKind(guest), digest, values }];
  } catch (error) {
    if (error instanceof AuthError || error instanceof UnreachableError) return [];
    throw error;
  }
}

/** Whom to ask, and about which nodes. */
export interface Asking {
  readonly pve: PveApi;
  readonly online: ReadonlySet<string>;
  readonly signal: AbortSignal | undefined;
}

export async function readConfigs(
  { pve, online, signal }: Asking,
  guests: readonly GuestInfo[],
): Promise<VmConfig[]> {
  const readable = guests.filter((guest) => mayBeMachine(guest) && online.has(guest.node));
  const configs = await pMap(readable, (guest) => readConfig(pve, guest, signal), {
    concurrency: PARALLEL_READS,
  });
  return configs.flat();
}

function withoutLock(guest: GuestInfo): GuestInfo {
  return Object.fromEntries(Object.entries(guest).filter(([key]) => key !== 'lock')) as unknown as GuestInfo; // `lock` is optional
}

interface GuestScope {
  /** Of these also the configuration. */
  readonly claimed: ReadonlySet<number>;
  readonly live: ReadonlySet<number>;
}

/** `/cluster/resources` lags about 10 s; the nodes' own lists do not. Only nodes with VMs in scope are asked. */
async function withLiveState(
  { pve, online, signal }: Asking,
  guests: readonly GuestInfo[],
  { claimed, live }: GuestScope,
): Promise<GuestInfo[]> {
  const isInScope = ({ vmid }: GuestInfo): boolean => claimed.has(vmid) || live.has(vmid);
  const nodes = new Set(guests.filter(isInScope).map((guest) => guest.node));
  const asked = [...nodes].filter((node) => online.has(node));
  const ofKinds = asked.flatMap((node) => MADE_KINDS.map((type) => ({ node, type })));
  const lists = await pMap(ofKinds, (of) => pve.nodeVms(of, signal), { concurrency: PARALLEL_READS });
  const byId = new Map(lists.flat().map((vm) => [vm.vmid, vm]));
  return guests.map((guest) => {
    const vm = isInScope(guest) ? byId.get(guest.vmid) : undefined;
    if (!vm) return guest;
    const { uptime = 0, mem = 0 } = vm;
    return {
      ...withoutLock(guest),
      status: vm.status,
      ...(guest.use ? { use: { ...guest.use, uptime, memory: mem } } : {}),
      ...ownName(vm.vmid, vm.name ?? guest.name),
      ...(vm.lock === undefined ? {} : { lock: vm.lock }),
    };
  });
}

interface ClaimedVms {
  readonly guests: readonly GuestInfo[];
  readonly vms: readonly VmConfig[];
}

/**
 * The configurations of the claimed VMs. A clone onto another node moves there at its very end, and a balancer may move
 * a VM at any time: one that is no longer where the list says is looked for once more.
 */
export async function readClaimed(
  asking: Asking,
  listed: readonly GuestInfo[],
  scope: GuestScope,
): Promise<ClaimedVms> {
  const { pve, online, signal } = asking;
  const { claimed } = scope;
  const read = async (these: readonly GuestInfo[]): Promise<ClaimedVms> => {
    const wanted = these.filter((guest) => claimed.has(guest.vmid));
    const [guests, vms] = await Promise.all([
      withLiveState(asking, these, scope),
      readConfigs(asking, wanted),
    ]);
    return { guests, vms };
  };
  const first = await read(listed);
  const found = new Set(first.vms.map((config) => config.vmid));
  const isLost = (guest: GuestInfo): boolean =>
    claimed.has(guest.vmid) && online.has(guest.node) && !found.has(guest.vmid) && mayBeMachine(guest);
  const lost = new Set(first.guests.filter(isLost).map((guest) => guest.vmid));
  if (lost.size === 0) return first;
  const again = await read(guestsOf(await pve.resources(signal)).filter((guest) => lost.has(guest.vmid)));
  return {
    guests: [...first.guests.filter((guest) => !lost.has(guest.vmid)), ...again.guests],
    vms: [...first.vms, ...again.vms],
  };
}

/** The list lags about 10 s: one that went on a moment ago still counts as paused there. */
export async function withMonitors(
  { pve, signal }: Asking,
  guests: readonly GuestInfo[],
  live: ReadonlySet<number>,
): Promise<GuestInfo[]> {
  return pMap(
    guests,
    async (guest) => {
      if (guest.monitor === undefined || guest.status !== 'running' || !live.has(guest.vmid)) return guest;
      const { monitor = 'running' } = await unlessForbidden(
        pve.vmStatus(guest, signal),
        guest,
        () => undefined,
      );
      return { ...guest, monitor };
    },
    { concurrency: PARALLEL_READS },
  );
}
