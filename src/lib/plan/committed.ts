/** Memory and virtual CPUs that each node has promised already. Places nothing. */
import type { GuestInfo, Inventory } from '../inventory/types.ts';
import type { HaveIndex } from './have-index.ts';
import { isOlder } from '../marks/time.ts';
import type { Claim } from '../marks/pool.ts';

export interface Promised {
  /** Bytes. */
  readonly memory: number;
  readonly cpus: number;
}

interface Request {
  readonly lab: string;
  readonly have: Inventory;
  readonly index: HaveIndex;
  /** Pools of the stands in the plan: what they lack is planned, not counted here. */
  readonly pools: ReadonlySet<string>;
  /** A machine of the lab, for claimed VMs of which nothing is known yet. */
  readonly usual: Promised;
}

/** A claim without its VMs is a run under way, unless it is older than any run. */
const CLAIM_IS_PLANNED_SECONDS = 2 * 3600;

/** Anything that is not switched off; a paused VM keeps its memory. */
function isUp({ status }: GuestInfo): boolean {
  return status !== 'stopped';
}

/** `maxmem` is 0 until the first broadcast after a clone; the configuration knows better. */
function sizeOf(guest: GuestInfo, { index, usual }: Request): Promised {
  const configured = index.configs.get(guest.vmid)?.values;
  const memory = guest.memory > 0 ? guest.memory : configured ? memoryOf(configured) : usual.memory;
  return { memory, cpus: guest.cpus > 0 ? guest.cpus : usual.cpus };
}

/** Bytes. Since 8.1 `memory` may be written `current=2048`; PVE's default is 512 MiB (qemu-server, `get_current_memory`). */
export function memoryOf(values: Readonly<Record<string, string>>): number {
  const mib = Number(/^(?:current=)?(\d+)/.exec(values['memory'] ?? '')?.[1] ?? 512);
  return mib * 2 ** 20;
}

/** PVE's default is one socket with one core. */
export function cpusOf(values: Readonly<Record<string, string>>, cores?: number): number {
  return (cores ?? Number(values['cores'] ?? 1)) * Number(values['sockets'] ?? 1);
}

function isUnderWay({ since }: Claim, { have }: Request): boolean {
  return !isOlder(since, CLAIM_IS_PLANNED_SECONDS, have.now);
}

/** What the VMs of each lab take on average, for those that are claimed and not made yet. */
function averages(request: Request): (lab: string) => Promised {
  const sums = new Map<string, { memory: number; cpus: number; count: number }>();
  for (const [pool, mark] of request.index.marks) {
    for (const { lab, vmids } of mark.claims) {
      const sum = sums.get(lab) ?? { memory: 0, cpus: 0, count: 0 };
      for (const vmid of vmids) {
        const guest = request.index.guests.get(vmid);
        if (guest?.pool !== pool || guest.memory === 0) continue;
        sum.memory += guest.memory;
        sum.cpus += guest.cpus;
        sum.count += 1;
      }
      sums.set(lab, sum);
    }
  }
  return (lab) => {
    const sum = sums.get(lab);
    if (!sum || sum.count === 0) return request.usual;
    return { memory: Math.round(sum.memory / sum.count), cpus: Math.round(sum.cpus / sum.count) };
  };
}

/**
 * Per node: guests that are up, the stopped VMs of this lab (its students will start them), and what another run has
 * claimed and not made yet. Stopped guests of others and of other labs do not count.
 */
export function promisedPerNode(request: Request): {
  readonly up: ReadonlyMap<string, Promised>;
  readonly toCome: ReadonlyMap<string, Promised>;
} {
  const up = new Map<string, Promised>();
  const toCome = new Map<string, Promised>();
  const add = (map: Map<string, Promised>, node: string, size: Promised): void => {
    const sum = map.get(node) ?? { memory: 0, cpus: 0 };
    map.set(node, { memory: sum.memory + size.memory, cpus: sum.cpus + size.cpus });
  };
  for (const guest of request.have.guests) {
    if (!guest.template && isUp(guest)) add(up, guest.node, sizeOf(guest, request));
  }
  const average = averages(request);
  for (const [pool, { claims }] of request.index.marks) {
    for (const claim of claims) {
      const isOurs = claim.lab === request.lab;
      const isPlanned = isOurs && request.pools.has(pool);
      for (const vmid of claim.vmids) {
        const guest = request.index.guests.get(vmid);
        const isUnmade = !guest || guest.lock === 'clone';
        if (isUnmade && !isPlanned && claim.node !== undefined && isUnderWay(claim, request)) {
          add(toCome, claim.node, average(claim.lab));
        } else if (!isUnmade && isOurs && guest.pool === pool && !isUp(guest)) {
          add(toCome, guest.node, sizeOf(guest, request));
        }
      }
    }
  }
  return { up, toCome };
}
