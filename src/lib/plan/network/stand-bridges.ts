/** Which bridge each alias of a stand is on its node, and what has to be done to have it. */
import { aliasesOf, aliasOf } from '../../config/lab/networks.ts';
import { makesNetwork, type NetworkEdit } from '../document/network-steps.ts';
import { stepId } from '../document/step.ts';
import { standBridgeNumber } from '../../pve-values/bridge-name.ts';
import type { Lab, Machine } from '../../config/types.ts';
import type { BridgeInfo, Inventory } from '../../inventory/types.ts';
import { findAdoptedBridges } from './adopted.ts';
import type { BridgeAllocator } from './numbers.ts';
import { bridgeObstacle, type BridgeObstacle } from './may-go.ts';
import { HELD_HINT } from './held-by.ts';
import { obstacleHint, obstacleText } from './may-go-text.ts';
import { bridgeOn, type ClusterView } from '../cluster/view.ts';
import { changeNetwork, makeNetwork } from './steps.ts';
import { stagedBefore } from './takes-apply.ts';
import { isInForce } from './view.ts';
import { pinnedBridge, type Pins } from '../cluster/pins.ts';
import { formatBridgeMark, type StandMark } from '../../marks/bridge.ts';
import { presentNics } from '../../pve-values/nics.ts';
import { nicIndex } from '../../config/lab/device-profiles.ts';
import type { NetworkStand, NetworkVm } from './stand.ts';
import type { PlannedBridge, Refusal } from '../document/plan.ts';

export interface StandBridges {
  /** Alias → bridge. */
  readonly names: ReadonlyMap<string, string>;
  readonly planned: readonly PlannedBridge[];
  readonly steps: readonly NetworkEdit[];
  /** Bridge → the step that makes it, before which no card may name it. */
  readonly made: ReadonlyMap<string, string>;
  /** Steps by which adopted ones become the stand's. */
  readonly marking: readonly string[];
  /** Bridges that are configured but not up: an apply is due although nothing is staged by this plan. */
  readonly down: readonly string[];
  readonly notes: readonly string[];
  readonly refused?: Refusal;
  readonly warnings: readonly string[];
}

/** What is read off the steps. */
function stepsOf(steps: readonly NetworkEdit[]): Pick<StandBridges, 'steps' | 'made' | 'marking'> {
  return {
    steps,
    made: new Map(steps.filter(makesNetwork).map(({ bridge, id }) => [bridge, id])),
    marking: steps.flatMap((step) => ('newComment' in step ? [step.id] : [])),
  };
}

function bridgeInConfig(
  machine: Machine,
  alias: string,
  { config, nicShift }: NetworkVm,
): string | undefined {
  const position = machine.networks.findIndex((network) => aliasOf(network) === alias);
  if (position < 0) return undefined;
  const index = nicIndex(machine, position, nicShift);
  return presentNics(config.values).find((nic) => nic.index === index)?.bridge;
}

/** The bridge that the stand's finished VMs use for this alias: recreated under the same name if somebody removed it. */
export function bridgeOfVms(lab: Lab, state: NetworkStand, alias: string): string | undefined {
  for (const machine of lab.machines) {
    const vm = state.present.get(machine.name);
    // Unfinished: its cards are still the template's.
    if (vm?.isFinished !== true) continue;
    const bridge = bridgeInConfig(machine, alias, vm);
    if (bridge !== undefined && standBridgeNumber(bridge) !== undefined) return bridge;
  }
  return undefined;
}

interface Request {
  readonly lab: Lab;
  readonly state: NetworkStand;
  readonly node: string;
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly bridges: BridgeAllocator;
  readonly pins: Pins;
  readonly since: string;
}

interface Collected {
  readonly names: Map<string, string>;
  readonly planned: PlannedBridge[];
  readonly steps: NetworkEdit[];
  readonly down: string[];
  readonly notes: string[];
  readonly warnings: string[];
  refused?: Refusal;
}

function markOf({ lab, state }: Request, alias: string): StandMark {
  return { kind: 'stand', lab: lab.name, user: state.user.userid, net: alias };
}

function obstacleTo(request: Request, alias: string, info: BridgeInfo): BridgeObstacle | undefined {
  return bridgeObstacle({ to: 'use', stand: markOf(request, alias) }, info);
}

/** A takeover that was cut short has claimed the VMs, and marked neither all of them nor the bridge. */
function isHalfAdopted({ state }: Request): boolean {
  return [...state.present.values()].some((vm) => !vm.marked);
}

function wayOut(request: Request, alias: string, iface: string, obstacle: BridgeObstacle): string {
  const { node, since } = request;
  const back = 'bring the network cards of its VMs back to their own bridge';
  if (obstacle.code === 'stand' || obstacle.code === 'reserved') return back;
  if (obstacle.code !== 'unmarked') return obstacleHint(obstacle, { node, iface });
  if (isHalfAdopted(request)) return 'finish the takeover with `deploy --adopt`';
  const mark = formatBridgeMark(iface, markOf(request, alias), since);
  return `if it is this stand's, write "${mark}" into the comment of ${iface} in ${node} → System → Network; else ${back}`;
}

/** The VMs of the stand are on it, so that another bridge in its place would tear the network apart. */
function notUsable(request: Request, alias: string, iface: string, obstacle: BridgeObstacle): Refusal {
  const { state, node } = request;
  return {
    code: 'BRIDGE_NOT_USABLE',
    message: `bridge ${iface} on ${node} is network ${alias} of ${state.user.userid}, but cannot be used: ${obstacleText(obstacle)}`,
    hint: `${wayOut(request, alias, iface, obstacle)}, then run again; nothing of this stand was changed`,
  };
}

function useExisting(request: Request, alias: string, vlanAware: boolean, out: Collected): boolean {
  const { lab, state, node, index } = request;
  const { userid } = state.user;
  const marked = bridgeOn({ lab: lab.name, user: userid }, alias, { node, index });
  if (!marked) return false;
  const { iface } = marked;
  const obstacle = obstacleTo(request, alias, marked);
  if (obstacle) {
    out.refused = notUsable(request, alias, iface, obstacle);
    return true;
  }
  const network = request.have.networks.find((one) => one.node === node);
  out.names.set(alias, iface);
  if (vlanAware && !marked.vlanAware) {
    out.steps.push(
      changeNetwork(
        { node, info: marked },
        { vlanAware: true },
        { user: userid, reason: `network ${alias} now carries VLAN tags` },
      ),
    );
  } else if (!isInForce(marked, network)) {
    out.down.push(iface);
  }
  return true;
}

/** Its mark and, where the lab wants it, VLAN awareness in one write. */
function adopt(request: Request, alias: string, info: BridgeInfo, out: Collected): void {
  const { lab, state, node, since } = request;
  const { userid } = state.user;
  const { iface } = info;
  const vlanAware = aliasesOf(lab).get(alias) === true && !info.vlanAware;
  const claimed = new Set(state.claim?.vmids);
  const isToBeClaimed = [...state.present.values()].some((vm) => vm.takenOver && !claimed.has(vm.vmid));
  out.names.set(alias, iface);
  out.steps.push(
    changeNetwork(
      { node, info },
      {
        ...(vlanAware ? { vlanAware } : {}),
        newComment: formatBridgeMark(iface, markOf(request, alias), since),
      },
      {
        user: userid,
        reason: `no mark; adopted: network ${alias}, which only VMs of this stand name`,
        // A mark of a stand that nobody has claimed would belong to nothing.
        dependsOn: isToBeClaimed ? [stepId('pool.update', state.user.pool)] : [],
      },
    ),
  );
}

/** Why a bridge that the stand's VMs name, and somebody removed, is not made again under its name. */
function notAgain(
  { lab, state, node, bridges }: Request,
  alias: string,
  former: string,
): Refusal | undefined {
  const gone = `${former} on ${node} is network ${alias} of ${state.user.userid} and is not there any more`;
  if (!bridges.isInRange(former)) {
    const { first, last } = lab.bridgeRange;
    return {
      code: 'BRIDGE_RANGE',
      message: `${gone}; its number is outside ${first}-${last}, the bridge_range of the lab or its connection`,
      hint: `widen bridge_range, or bring the network cards of its VMs to another bridge, then run again`,
    };
  }
  if (!bridges.isTaken(node, former)) return undefined;
  return {
    code: 'BRIDGE_TAKEN',
    message: `${gone}; others have the number now`,
    hint: `take ${former} off the other guests of ${node}, or off the network cards of this stand, then run again`,
  };
}

/** All numbers are taken: those of the cluster where none may be repeated, else those of the node. */
function noBridge({ lab, node, bridges }: Request): Refusal {
  const { first, last } = lab.bridgeRange;
  const held = bridges.heldBy(bridges.mayRepeat ? node : undefined);
  const by = held === undefined ? '' : `, ${held}`;
  const free = held === undefined ? '' : `${HELD_HINT}; or `;
  if (bridges.mayRepeat) {
    return {
      code: 'NO_BRIDGE',
      message: `all bridge numbers vmbr${first}–vmbr${last} are taken on ${node}${by}`,
      hint: `${free}remove stands that are no longer needed, spread the class over more nodes, or widen \`bridge_range\``,
    };
  }
  return {
    code: 'NO_BRIDGE',
    message: `all bridge numbers vmbr${first}–vmbr${last} are taken in the cluster${by}; numbers are not repeated where students may move their machines, as role ${lab.access.role} lets them: on another node the number is somebody else's network`,
    hint: `${free}give \`role: student\`, which moves no machine; widen \`bridge_range\`; or remove stands that are no longer needed`,
  };
}

function createNew(request: Request, alias: string, vlanAware: boolean, out: Collected): void {
  const { lab, state, node, index } = request;
  const { userid } = state.user;
  const former = bridgeOfVms(lab, state, alias);
  const present = former === undefined ? undefined : index.bridges.get(node)?.get(former);
  const obstacle = present && obstacleTo(request, alias, present);
  if (present && obstacle) {
    out.refused = notUsable(request, alias, present.iface, obstacle);
    return;
  }
  const lost = former === undefined ? undefined : notAgain(request, alias, former);
  if (lost) {
    out.refused = lost;
    return;
  }
  const wish = request.pins.bridges.get(pinnedBridge(userid, node, alias));
  const taken = former === undefined ? request.bridges.take(node, wish) : { bridge: former, repeated: false };
  if (!taken) {
    out.refused = noBridge(request);
    return;
  }
  if (taken.repeated) {
    out.warnings.push(
      `bridge numbers have run out cluster-wide: ${taken.bridge} on ${node} exists elsewhere too, so the stand of ${userid} cannot move live`,
    );
  }
  out.names.set(alias, taken.bridge);
  out.steps.push(
    makeNetwork(
      { node, iface: taken.bridge, vlanAware, mark: markOf(request, alias), since: request.since },
      { user: userid, reason: 'missing' },
    ),
  );
}

/** PVE does not list every bridge. What guests name is looked up when a bridge is made, of those that the caller sees. */
export function unseenGuests(steps: readonly NetworkEdit[], { hidden }: Inventory): string[] {
  if (hidden?.guests !== true || !steps.some(makesNetwork)) return [];
  return [
    'guests may be hidden from the caller, who lacks VM.Audit on /vms: whether one of them is on a bridge of a new number that PVE does not list cannot be told',
  ];
}

export function planStandBridges(request: Request): StandBridges {
  const out: Collected = { names: new Map(), planned: [], steps: [], down: [], notes: [], warnings: [] };
  const adopted = findAdoptedBridges(request);
  if ('code' in adopted) return { ...out, ...stepsOf([]), refused: adopted };
  for (const [alias, vlanAware] of aliasesOf(request.lab)) {
    const found = adopted.get(alias);
    if (found) adopt(request, alias, found, out);
    else if (!useExisting(request, alias, vlanAware, out)) createNew(request, alias, vlanAware, out);
    const iface = out.names.get(alias);
    if (iface !== undefined) out.planned.push({ node: request.node, iface, alias });
  }
  const refused = out.refused ?? stagedBefore(out, request);
  return { ...out, ...stepsOf(out.steps), ...(refused ? { refused } : {}) };
}
