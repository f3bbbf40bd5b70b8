/** Whether there is room for the machines that are to run, or for the memory that is to be saved. Places nothing. */
import { gib, MIB } from '../../bytes.ts';
import type { Lab, Placement } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import { describeShortage, type Left } from '../placement/capacity-text.ts';
import { Ledger, memoryOn, resourceKey, storagesOf, type Demand } from '../placement/capacity.ts';
import { promisedPerNode } from '../placement/committed.ts';
import { standPlaces, typicalSizes } from '../placement/typical-sizes.ts';
import { sayMachine } from './machines.ts';
import { stateBytes } from '../stands/saved-memory.ts';
import type { Planned } from './power-types.ts';

/** What is up counts as it is: it cannot be freed by planning. */
const AS_IT_IS = {
  usual: { memory: 0, cpus: 0 },
  given: ({ memory, cpus }: { readonly memory: number; readonly cpus: number }) => ({ memory, cpus }),
  isToChange: () => false,
};

function ledgerOf(
  have: Inventory,
  index: ClusterView,
  placement: Pick<Placement, 'reserve' | 'overcommit'>,
): Ledger {
  const { up, toCome } = promisedPerNode({ lab: '', have, index, pools: new Set(), sizes: AS_IT_IS });
  const memory = have.nodes.flatMap((node) =>
    memoryOn(
      node,
      { up: up.get(node.name)?.memory ?? 0, toCome: toCome.get(node.name)?.memory ?? 0 },
      placement,
    ),
  );
  return new Ledger([...memory, ...storagesOf(have)]);
}

/** Of the machines of one stand. */
function demandOf(machines: readonly Planned[], index: ClusterView): Demand {
  const demand = new Map<string, number>();
  const add = (key: string, bytes: number): void => void demand.set(key, (demand.get(key) ?? 0) + bytes);
  for (const { deed, guest, storage } of machines) {
    if (deed === 'start' || deed === 'resume') add(resourceKey.memory(guest.node), guest.memory);
    const row = index.hosts.storages.get(`${guest.node}/${storage ?? ''}`);
    if (deed === 'suspend' && row) add(resourceKey.storage(row), stateBytes(guest.memory));
  }
  return demand;
}

const WAYS_OUT = {
  memory:
    'shut down or suspend what is not needed; with -c, `placement.reserve` and `placement.overcommit` of the lab count',
  storage: 'free space there, or name another storage with --storage',
};

/** What a lab's file says of memory. */
type RoomRules = Pick<Lab, 'placement' | 'machines'>;

export interface Room {
  /** Said of all; undefined: what does not fit is for single students to mend, or everything does. */
  readonly shortage?: Refusal;
  /** Stand → why nothing is done for it. */
  readonly refused: ReadonlyMap<string, Refusal>;
}

interface StandDemand {
  readonly user: string;
  readonly key: string;
  readonly machines: readonly Planned[];
}

interface Places {
  readonly have: Inventory;
  readonly index: ClusterView;
  /** Absent: of several labs, or its file is not at hand. */
  readonly lab?: RoomRules | undefined;
}

/** Memory that a machine of the kind has: in most stands, else by the lab's file. Undefined: there is no telling. */
function createUsual({ index, lab }: Places): (machine: Planned) => number | undefined {
  const places = standPlaces(index);
  const typicalOf = typicalSizes(places, { index, lab: '' });
  const written = new Map(lab?.machines.map(({ name, memory }) => [name, memory]));
  return ({ guest, one }) => {
    const place = places.get(guest.vmid);
    const typical = place && typicalOf(place);
    if (typical?.isCertain) return typical.size.memory;
    const memory = written.get(one.machine ?? '');
    return memory === undefined ? undefined : memory * MIB;
  };
}

/** Machines of a stand that somebody gave more memory than their kind has, in words. */
function grownIn({ machines }: StandDemand, usualOf: (machine: Planned) => number | undefined): string[] {
  return machines.flatMap((machine) => {
    const { memory } = machine.guest;
    const usual = usualOf(machine);
    if (usual === undefined || memory <= usual) return [];
    return [`${sayMachine(machine.one)} was given ${gib(memory)} of memory, its kind has ${gib(usual)}`];
  });
}

function describe(
  left: readonly { readonly stand: StandDemand; readonly left: Left; readonly grown: readonly string[] }[],
  ledger: Ledger,
  total: number,
) {
  const told = describeShortage(
    left.map((one) => one.left),
    { ledger, total, waysOut: WAYS_OUT },
  );
  const refused = left.flatMap(({ stand, grown }) => {
    const why = told.each.get(stand.user);
    if (!why) return [];
    const more = grown.length === 0 ? '' : `; ${grown.join('; ')}`;
    return [[stand.key, { ...why, message: `${why.message}${more}` }] as const];
  });
  return { whole: told.whole, refused };
}

/**
 * One stand after the other, each as a whole. Those with machines that their students gave more memory come last, and what
 * of them does not fit keeps nobody else out.
 */
export function findRoom(stands: readonly StandDemand[], given: Places): Room {
  const { have, index, lab } = given;
  const ledger = ledgerOf(have, index, lab?.placement ?? {});
  const usualOf = createUsual(given);
  const asked = stands.map((stand) => ({ stand, grown: grownIn(stand, usualOf) }));
  const inOrder = [
    ...asked.filter(({ grown }) => grown.length === 0),
    ...asked.filter(({ grown }) => grown.length > 0),
  ];
  const left = inOrder.flatMap(({ stand, grown }) => {
    const demand = demandOf(stand.machines, index);
    if (ledger.fits(demand)) {
      ledger.take(demand);
      return [];
    }
    const nodes = [...new Set(stand.machines.map(({ guest }) => guest.node))];
    const states = [{ user: { userid: stand.user } }];
    return [
      {
        ...{ stand, grown },
        left: { states, nodes: nodes.map((node) => ({ node, demand, isApart: true })) },
      },
    ];
  });
  if (left.length === 0) return { refused: new Map() };
  const { whole, refused } = describe(left, ledger, stands.length);
  const isOfSingle = left.every(({ grown }) => grown.length > 0) && left.length < stands.length;
  return { ...(isOfSingle ? {} : { shortage: whole }), refused: new Map(refused) };
}
