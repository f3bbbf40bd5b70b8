/** Whether there is room for the machines that are to run, or for the memory that is to be saved. Places nothing. */
import type { Placement } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import { describeShortage, type Left } from '../placement/capacity-text.ts';
import { Ledger, memoryOn, resourceKey, storagesOf, type Demand } from '../placement/capacity.ts';
import { promisedPerNode } from '../placement/committed.ts';
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

export interface Room {
  /** Said of all; undefined: everything fits. */
  readonly shortage?: Refusal;
  /** Stand → why nothing is done for it. */
  readonly refused: ReadonlyMap<string, Refusal>;
}

interface StandDemand {
  readonly user: string;
  readonly key: string;
  readonly machines: readonly Planned[];
}

/** One stand after the other, each as a whole. */
export function findRoom(
  stands: readonly StandDemand[],
  {
    have,
    index,
    placement,
  }: {
    readonly have: Inventory;
    readonly index: ClusterView;
    readonly placement: Pick<Placement, 'reserve' | 'overcommit'>;
  },
): Room {
  const ledger = ledgerOf(have, index, placement);
  const left: { readonly stand: StandDemand; readonly left: Left }[] = [];
  for (const stand of stands) {
    const demand = demandOf(stand.machines, index);
    if (ledger.fits(demand)) {
      ledger.take(demand);
      continue;
    }
    const nodes = [...new Set(stand.machines.map(({ guest }) => guest.node))];
    const states = [{ user: { userid: stand.user } }];
    left.push({ stand, left: { states, nodes: nodes.map((node) => ({ node, demand, isApart: true })) } });
  }
  if (left.length === 0) return { refused: new Map() };
  const { whole, each } = describeShortage(
    left.map((one) => one.left),
    { ledger, total: stands.length, waysOut: WAYS_OUT },
  );
  return {
    shortage: whole,
    refused: new Map(
      left.flatMap(({ stand }) => {
        const why = each.get(stand.user);
        return why ? [[stand.key, why] as const] : [];
      }),
    ),
  };
}
