/** Memory and virtual CPUs that each node has promised already. Places nothing. */
import type { GuestInfo, Inventory } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import { isOlder } from '../../marks/time.ts';
import type { Claim } from '../../marks/pool.ts';
import { isCloneLock } from '../../pve-values/guest-kinds.ts';
import { memoryOf } from '../../pve-values/memory.ts';
import { standPlaces, typicalSizes, type Place, type Promised } from './typical-sizes.ts';

interface Request {
  readonly lab: string;
  readonly have: Inventory;
  readonly index: ClusterView;
  /** Pools of the stands in the plan: what they lack is planned, not counted here. */
  readonly pools: ReadonlySet<string>;
  readonly sizes: LabSizes;
}

/**
 * What the lab gives its machines. A student may set a VM's memory to whatever the server takes, so what counts of a
 * VM of ours is never more than that: one student's settings must not keep a class out. What is in use for certain, the
 * node says itself.
 */
export interface LabSizes {
  /** A machine of the lab on average, for claimed VMs of which nothing is known yet. */
  readonly usual: Promised;
  /** Of a VM that is there. */
  readonly given: (guest: GuestInfo) => Promised;
  /** Is it about to get what the lab gives? What it lacks is part of the plan's demand then. */
  readonly isToChange: (vm: Pick<GuestInfo, 'vmid'>) => boolean;
}

/** Anything that is not switched off; a paused VM keeps its memory. */
function isUp({ status }: GuestInfo): boolean {
  return status !== 'stopped';
}

/** `maxmem` is 0 until the first broadcast after a clone; the configuration knows better. */
function sizeOf(guest: GuestInfo, { index, sizes: { usual } }: Request): Promised {
  const configured = index.configs.get(guest.vmid)?.values;
  const memory = guest.memory > 0 ? guest.memory : configured ? memoryOf(configured) : usual.memory;
  return { memory, cpus: guest.cpus > 0 ? guest.cpus : usual.cpus };
}

function atMost(size: Promised, most: Promised | undefined): Promised {
  if (!most) return size;
  return { memory: Math.min(size.memory, most.memory), cpus: Math.min(size.cpus, most.cpus) };
}

/** No run takes as long: what an older claim lacks, nobody is about to make, and its room is free. Not a default of any flag. */
const LONGEST_RUN_SECONDS = 2 * 3600;

/** A claim without its VMs is a run under way, unless it is older than any run. */
function isUnderWay({ since }: Claim, { have }: Request): boolean {
  return !isOlder(since, LONGEST_RUN_SECONDS, have.now);
}

/**
 * In a stand's pool and none of its machines, so made by its student: of whatever size the student likes, and started without anything in it. What it
 * uses, the node says itself.
 */
function isOfStudent(
  { vmid, pool }: GuestInfo,
  places: ReadonlyMap<number, Place>,
  { index }: Request,
): boolean {
  return pool !== undefined && index.marks.get(pool)?.user !== undefined && !places.has(vmid);
}

/**
 * Per node: guests that are up, without those that students made themselves; the stopped VMs of this lab (its students will start them), and what another run has
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
  const { sizes } = request;
  const places = standPlaces(request.index);
  const typicalOf = typicalSizes(places, request);
  const bound = (guest: GuestInfo): Promised | undefined => {
    const place = places.get(guest.vmid);
    if (!place) return undefined;
    if (place.lab === request.lab) return sizes.given(guest);
    const typical = typicalOf(place);
    return typical?.isCertain === true ? typical.size : undefined;
  };
  for (const guest of request.have.guests) {
    if (!guest.template && isUp(guest) && !isOfStudent(guest, places, request))
      add(up, guest.node, atMost(sizeOf(guest, request), bound(guest)));
  }
  for (const [pool, { claims }] of request.index.marks) {
    for (const claim of claims) {
      const isOurs = claim.lab === request.lab;
      const isPlanned = isOurs && request.pools.has(pool);
      for (const [at, vmid] of claim.vmids.entries()) {
        const guest = request.index.guests.get(vmid);
        const isUnmade = !guest || isCloneLock(guest.lock);
        if (isUnmade && !isPlanned && claim.node !== undefined && isUnderWay(claim, request)) {
          add(toCome, claim.node, typicalOf({ lab: claim.lab, at })?.size ?? sizes.usual);
        } else if (!isUnmade && isOurs && places.get(vmid)?.pool === pool && !isUp(guest)) {
          const given = sizes.given(guest);
          add(toCome, guest.node, sizes.isToChange(guest) ? atMost(sizeOf(guest, request), given) : given);
        }
      }
    }
  }
  return { up, toCome };
}
