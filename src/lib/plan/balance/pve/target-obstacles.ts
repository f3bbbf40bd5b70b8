/** Why a unit cannot go to a node: one named rule each, the cheap and the general ones first. */
import { gib } from '../../../bytes.ts';
import { isOlderVersion } from '../../../pve-values/version.ts';
import { arrivalObstacle, stagedThere } from '../../network/arrival.ts';
import { otherStand } from '../../cluster/stand-networks.ts';
import {
  cpusObstacle,
  diskObstacle,
  filesObstacle,
  hostObstacle,
  maintenanceObstacle,
  plugObstacle,
  qemuVersionOn,
  storageObstacle,
  tieObstacle,
  typeObstacle,
  type Plug,
} from '../../obstacles/node-obstacles.ts';
import type { NodeObstacle } from '../../obstacles/obstacle.ts';
import { sayObstacle } from '../../obstacles/obstacle-text.ts';
import { compareText } from '../../../order.ts';
import { isLastResort, type Destination, type Obstacle } from '../core/constraints.ts';
import { isRunning } from '../core/load.ts';
import { first, firstObstacle, ofGuests, toldFailure, type Rules } from '../core/rules/target-rules.ts';
import type { BalanceGuest, BalanceNode } from '../../../inventory/balance-types.ts';
import { standKey } from '../core/types.ts';
import { bridgesOfGuest, isLocalNetwork, type Unit, type World } from './world.ts';

export interface NodeView extends Destination {
  readonly target: BalanceNode;
  readonly world: World;
}

export interface Move extends NodeView {
  readonly unit: Unit;
}

/** What the table that all commands share says of the target. */
function said(obstacle: NodeObstacle | undefined): string | undefined {
  return obstacle && sayObstacle(obstacle);
}

// The node itself.

function offline({ target, world }: NodeView): string | undefined {
  return said(hostObstacle(target.name, world.hosts));
}

function maintenance({ target, world }: NodeView): string | undefined {
  return said(maintenanceObstacle(target.name, world.hosts));
}

function threads(move: Move): string | undefined {
  return ofGuests(move, ({ cpus, type }) =>
    type === 'lxc' ? undefined : said(cpusObstacle(move.target.name, cpus, move.world.hosts)),
  );
}

function haRules(move: Move): string | undefined {
  const { target, world, board } = move;
  return ofGuests(move, ({ vmid, ha }) => {
    if (!ha) return undefined;
    return first(world.haRules.get(vmid) ?? [], (rule) => {
      // Where a preference is not strict HA would send it straight back.
      if (rule.kind === 'node-affinity')
        return rule.nodes.includes(target.name)
          ? undefined
          : `HA rule ${rule.name} wants it on ${rule.nodes.join(', ')}`;
      const other = rule.vmids.find((id) => id !== vmid && board.whereIs(id) === target.name);
      return rule.affinity === 'negative' && other !== undefined
        ? `HA rule ${rule.name} keeps it apart from ${other}`
        : undefined;
    });
  });
}

/** HA asks nobody where to. */
function ledElsewhere(move: Move): string | undefined {
  return ofGuests(move, ({ vmid }) => {
    const led = move.world.led.get(vmid);
    return led && led.to !== move.target.name ? `HA takes it to ${led.to}` : undefined;
  });
}

// Hardware and software.

/** A running machine keeps its type, and needs a QEMU at least as new; where no list tells, PVE's version does. */
function version(move: Move): string | undefined {
  const { target, world } = move;
  const { hosts, nodes, running, facts } = world;
  return ofGuests(move, (guest) => {
    if (guest.type === 'lxc') return undefined;
    const live = isRunning(guest) ? running.get(guest.vmid) : undefined;
    const machine = live?.machine ?? facts.get(guest.vmid)?.machine ?? '';
    const unknown = typeObstacle(target.name, machine, hosts);
    if (unknown || !isRunning(guest)) return said(unknown);
    const [there, here] = [qemuVersionOn(target.name, hosts), live?.qemu ?? qemuVersionOn(guest.node, hosts)];
    if (isOlderVersion(there, here)) return `QEMU ${there ?? ''} there is older than ${here ?? ''}`;
    if (there !== undefined && here !== undefined) return undefined;
    const source = nodes.get(guest.node);
    return isOlderVersion(target.pveVersion, source?.pveVersion)
      ? `PVE ${target.pveVersion ?? ''} there is older than ${source?.pveVersion ?? ''}`
      : undefined;
  });
}

function vendorOf(model: string): string {
  return /intel/i.test(model) ? 'Intel' : /amd/i.test(model) ? 'AMD' : model;
}

function isHostCpu(cpuType: string): boolean {
  return cpuType === 'host' || cpuType === 'max';
}

/** Live only. `cpu_groups`; else one vendor, and one model for guests that see the host's CPU. */
function cpuModel(move: Move): string | undefined {
  const { target, world } = move;
  const groupOf = (node: string): number => world.config.cpuGroups.findIndex((nodes) => nodes.includes(node));
  return ofGuests(move, (guest) => {
    if (!isRunning(guest) || guest.type === 'lxc') return undefined;
    if (world.config.cpuGroups.length > 0) {
      const group = groupOf(guest.node);
      return group >= 0 && group === groupOf(target.name) ? undefined : 'is in another group of cpu_groups';
    }
    const [here, there] = [world.nodes.get(guest.node)?.cpuModel, target.cpuModel];
    const isHost = isHostCpu(world.facts.get(guest.vmid)?.cpuType ?? '');
    if (here === undefined || there === undefined)
      return isHost ? 'its CPU type is host, and the CPU models are not known' : undefined;
    if (here === there) return undefined;
    if (isHost) return `its CPU type is host, and the node has ${there} instead of ${here}`;
    return vendorOf(here) === vendorOf(there) ? undefined : `has ${there} instead of ${here}`;
  });
}

// Storage and network.

/** LXC/Migrate.pm: `content type 'rootdir' is not available on storage`. */
function holdsContainers(node: string, storage: string, { storages }: World): boolean {
  return storages.get(`${node} ${storage}`)?.content.includes('rootdir') === true;
}

function storages(move: Move): string | undefined {
  const { target, world, board } = move;
  const needed = new Map<string, number>();
  const missing = ofGuests(move, (guest) =>
    first(world.facts.get(guest.vmid)?.volumes ?? [], ({ kind, storage, bytes }) => {
      const landing = world.landings(guest.vmid, storage, target.name);
      const missing = said(
        guest.type === 'lxc'
          ? storageObstacle(target.name, landing.storage, world.hosts)
          : diskObstacle(target.name, landing.storage, world.hosts, kind === 'iso' ? 'iso' : 'images'),
      );
      if (missing !== undefined) return landing.why ? `${missing}; ${landing.why}` : missing;
      if (guest.type === 'lxc' && !holdsContainers(target.name, landing.storage, world))
        return `storage ${landing.storage} takes no containers (content type rootdir)`;
      const isLocal = world.storages.get(`${guest.node} ${storage}`)?.shared === false;
      if (isLocal) needed.set(landing.storage, (needed.get(landing.storage) ?? 0) + bytes);
      return undefined;
    }),
  );
  if (missing !== undefined) return missing;
  return first(
    [...needed].sort(([a], [b]) => compareText(a, b)),
    ([storage, bytes]) => {
      const there = world.storages.get(`${target.name} ${storage}`);
      const free = there ? there.total - there.used - board.copied(target.name, storage) : 0;
      return bytes <= free
        ? undefined
        : `storage ${storage} there has ${gib(Math.max(free, 0))} free, ${gib(bytes)} are needed`;
    },
  );
}

/** Whoever has a volume there fails at the same storage. */
function blamedStorage(move: Move): string | undefined {
  const { target, world, purpose } = move;
  if (isLastResort(purpose)) return undefined;
  return ofGuests(move, ({ vmid }) =>
    first(world.facts.get(vmid)?.volumes ?? [], (volume) => {
      const { storage } = world.landings(vmid, volume.storage, target.name);
      const failure = world.history.blamedStorages.get(`${target.name} ${storage}`);
      return failure && `storage ${storage} failed there ${toldFailure(failure, world)}`;
    }),
  );
}

/** Networks of the moving stands are made on the target, under the same name. */
function standBridges({ unit, target, world }: Move): string | undefined {
  return first(unit.stands, (stand) =>
    first(world.standBridges.get(standKey(stand)) ?? [], (network) =>
      arrivalObstacle(network, target.name, stand, world.hosts),
    ),
  );
}

function networkRead({ target, world }: NodeView): string | undefined {
  return world.hosts.networks.get(target.name)?.readable === true
    ? undefined
    : 'its network configuration cannot be read';
}

function networkEditable({ unit, target, world }: Move): string | undefined {
  if (unit.stands.length === 0) return undefined;
  return stagedThere(world.hosts.networks.get(target.name));
}

/** A bridge that PVE does not look at: the guest would start there without a network, or not at all. */
function bridgesPresent(move: Move): string | undefined {
  const { unit, target, world } = move;
  const own = new Set(
    unit.stands.flatMap((stand) =>
      (world.standBridges.get(standKey(stand)) ?? []).map(({ info }) => info.iface),
    ),
  );
  return ofGuests(move, (guest) =>
    first(plugsOf(guest, world), (plug) => {
      if (own.has(plug.bridge)) return undefined;
      const isListed =
        world.hosts.vnets.has(plug.bridge) || world.hosts.bridges.get(target.name)?.has(plug.bridge) === true;
      const missing = { code: 'bridge-missing', bridge: plug.bridge, mayBeHidden: false } as const;
      return said(isListed ? plugObstacle(target.name, plug, world.hosts) : missing);
    }),
  );
}

/** Of its configuration where it is known, else of its node's list of who is on which bridge. */
function plugsOf(guest: BalanceGuest, world: World): readonly Plug[] {
  const nics = world.facts.get(guest.vmid)?.nics;
  return nics ?? (bridgesOfGuest(guest, world) ?? []).map((bridge) => ({ bridge }));
}

/** Files and mapped devices that its next start, or its start there, looks for. */
function tied(move: Move): string | undefined {
  const { target, world } = move;
  return ofGuests(move, ({ vmid, type }) => {
    const values = world.facts.get(vmid)?.values;
    if (!values) return undefined;
    const { hosts } = world;
    return said(
      type === 'lxc'
        ? filesObstacle(target.name, values, 'snippets', hosts)
        : tieObstacle(target.name, values, hosts),
    );
  });
}

/** A bridge without a port that others use on the target is another network of the same name. */
function otherNetwork({ unit, target, world }: Move): string | undefined {
  const own = new Set(unit.stands.map(standKey));
  return first(unit.guests, (guest) =>
    first(bridgesOfGuest(guest, world) ?? [], (iface) => {
      if (world.hosts.vnets.has(iface) || !isLocalNetwork(guest.node, iface, world)) return undefined;
      const other = world.bridgeGuests.on(target.name, iface).naming.find((vmid) => {
        const stand = world.stands.get(vmid);
        return !unit.vmids.includes(vmid) && !(stand && own.has(standKey(stand)));
      });
      return other === undefined ? undefined : `${iface} there connects other guests (${other})`;
    }),
  );
}

/** Going back to a snapshot asks nobody: it must not lead into what is another stand's there. */
function snapshotsStay(move: Move): string | undefined {
  const { unit, target, world } = move;
  const own = new Set(unit.stands.map(standKey));
  const there = world.hosts.bridges.get(target.name);
  return ofGuests(move, ({ vmid }) =>
    first(world.facts.get(vmid)?.snapshotBridges ?? [], (iface) => {
      const other = otherStand(iface, there, (stand) => own.has(standKey(stand)));
      if (!other) return undefined;
      return `a snapshot names ${iface}, which there belongs to the stand of ${other.user} in lab ${other.lab}`;
    }),
  );
}

const NODE_RULES: Rules<NodeView> = [
  ['offline', offline],
  ['maintenance', maintenance],
  ['network', networkRead],
];

/**
 * Rules that look neither at the board nor at the purpose: a search asks them thousands of times, and they have one answer
 * for each unit (which lives as long as its world) and node.
 */
function fixed(rules: Rules<Move>): (move: Move) => Obstacle | undefined {
  const answers = new WeakMap<Unit, Map<string, Obstacle | undefined>>();
  return (move) => {
    const { unit, target } = move;
    let known = answers.get(unit);
    if (!known) answers.set(unit, (known = new Map<string, Obstacle | undefined>()));
    const answer = known.get(target.name);
    if (answer || known.has(target.name)) return answer;
    const found = firstObstacle(rules, move);
    known.set(target.name, found);
    return found;
  };
}

function asked(...rules: Rules<Move>): (move: Move) => Obstacle | undefined {
  return (move) => firstObstacle(rules, move);
}

/** Cheap ones first: most nodes fail at an early one. */
const UNIT_RULES = [
  fixed([
    ['cpus', threads],
    ['ha-led', ledElsewhere],
  ]),
  asked(['ha-rule', haRules], ['blamed', blamedStorage]),
  fixed([
    ['version', version],
    ['cpu-model', cpuModel],
  ]),
  asked(['storage', storages]),
  fixed([
    ['tied', tied],
    ['bridge-taken', standBridges],
    ['network', networkEditable],
    ['bridge', bridgesPresent],
    ['bridge', otherNetwork],
    ['bridge', snapshotsStay],
  ]),
];

/** Why nothing can go there. */
export function targetNodeObstacle(view: NodeView): Obstacle | undefined {
  return firstObstacle(NODE_RULES, view);
}

/** Why this unit cannot go to a node that is otherwise a target. */
export function unitTargetObstacle(move: Move): Obstacle | undefined {
  for (const rules of UNIT_RULES) {
    const obstacle = rules(move);
    if (obstacle) return obstacle;
  }
  return undefined;
}
