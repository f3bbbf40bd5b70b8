/** Finds the bridges of a stand that is taken over, by the NICs of its VMs, and doubts what is not surely its own. Plans no step. */
import { isAdoptableName } from '../../pve-values/bridge-name.ts';
import type { Lab } from '../../config/types.ts';
import type { BridgeInfo, Inventory } from '../../inventory/types.ts';
import { ledByCard } from './led-to.ts';
import { bridgeObstacle } from './may-go.ts';
import { obstacleHint, obstacleText } from './may-go-text.ts';
import { bridgeOn, bridgesOf, type ClusterView } from '../cluster/view.ts';
import { ownCards } from '../../config/lab/device-profiles.ts';
import type { NetworkStand } from './stand.ts';
import type { Refusal } from '../document/plan.ts';

interface Request {
  readonly lab: Lab;
  readonly state: NetworkStand;
  readonly node: string;
  readonly have: Inventory;
  readonly index: ClusterView;
}

/** One network card of a VM that is taken over, where the lab has a network of the stand's own. */
interface Port {
  readonly alias: string;
  readonly bridge: string;
  /** For messages. */
  readonly where: string;
}

function refusal(message: string, hint: string): Refusal {
  return {
    code: 'ADOPT_BRIDGE',
    message,
    hint: `${hint}, then run again; nothing of this stand was changed`,
  };
}

/** An aliased network's bridge is what the VM's card at its place in the lab names. */
function portsOf({ lab, state }: Request): Port[] {
  return lab.machines.flatMap((machine) => {
    const vm = state.present.get(machine.name);
    if (vm?.takenOver !== true) return [];
    return ownCards(machine, vm.config.values, vm.nicShift).map(({ index, alias, bridge }) => ({
      ...{ alias, bridge },
      where: `net${index} of VM ${vm.vmid} (${machine.name})`,
    }));
  });
}

/** Two cards that cannot both be right. */
function contradiction(ports: readonly Port[], { lab, state, node, index }: Request): Refusal | undefined {
  const first = new Map<string, Port>();
  const hint = 'bring the network cards into line with the lab file';
  for (const port of ports) {
    const { alias, bridge, where } = port;
    if (!isAdoptableName(bridge))
      return refusal(`${where} is on ${bridge}, where the lab has the stand's own network ${alias}`, hint);
    for (const key of [`alias ${alias}`, `bridge ${bridge}`]) {
      const other = first.get(key);
      if (other && (other.bridge !== bridge || other.alias !== alias)) {
        return refusal(
          `${other.where} says that network ${other.alias} is ${other.bridge}, ${where} says that ${alias} is ${bridge}`,
          hint,
        );
      }
      first.set(key, port);
    }
    const marked = bridgesOf({ lab: lab.name, user: state.user.userid }, alias, index).find(
      (entry) => entry.node === node && entry.info.iface !== bridge,
    );
    if (marked)
      return refusal(
        `${where} is on ${bridge}, but network ${alias} of this stand is ${marked.info.iface}`,
        hint,
      );
  }
  return undefined;
}

/**
 * Alias → bridge without our mark that becomes ours. A bridge that does not exist, or is marked as this stand's, is not
 * among them: that is completed, or used, as in every stand.
 */
export function findAdoptedBridges(request: Request): ReadonlyMap<string, BridgeInfo> | Refusal {
  const { lab, state, node, index } = request;
  const ports = portsOf(request);
  if (ports.length === 0) return new Map();
  const own = new Set([...state.present.values()].map((vm) => vm.vmid));
  const isOwn = (vmid: number): boolean => own.has(vmid);
  const clash = contradiction(ports, request);
  if (clash) return clash;
  const found = new Map<string, BridgeInfo>();
  for (const { alias, bridge } of ports) {
    const info = index.bridges.get(node)?.get(bridge);
    const marked = bridgeOn({ lab: lab.name, user: state.user.userid }, alias, { node, index });
    if (!info || marked) continue;
    const obstacle = bridgeObstacle(
      {
        to: 'take-over',
        isLedTo: ledByCard(bridge, lab.bridgeRange, request.have),
        guests: index.bridgeGuests.on(node, bridge, isOwn),
      },
      info,
    );
    if (obstacle) {
      return refusal(
        `bridge ${bridge} on ${node} is network ${alias} of ${state.user.userid}, but cannot be taken over: ${obstacleText(obstacle)}`,
        obstacleHint(obstacle, { node, iface: bridge }),
      );
    }
    found.set(alias, info);
  }
  return found;
}
