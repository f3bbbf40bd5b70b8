/** Words for why a node cannot take a machine, and the way out. Decides nothing. */
import { groupBy } from '../../group.ts';
import { REPLICA_POOL } from '../../marks/replica.ts';
import { sortedUnique } from '../../order.ts';
import { shellCommand } from '../../shell.ts';
import { obstacleHint as bridgeHint, obstacleText as bridgeText } from '../network/may-go-text.ts';
import type { NodeObstacle } from './obstacle.ts';

const COPIES_REFUSED = {
  delegated: `and pool ${REPLICA_POOL} is not ours alone`,
  foreign: `and pool ${REPLICA_POOL} is somebody else's`,
  // A replica's VMID becomes a member before it exists, which only the full profile may do.
  confined:
    'which takes VM.Allocate on /vms: somebody who has it runs `deploy-stand templates replicate` first',
} as const;

const MAPPINGS = { pci: 'PCI devices', usb: 'USB devices', dir: 'directories' } as const;

/** Of storages, bridges and whatever else is on the node. `there`: `on pve1`, or `there` after its name. */
function thingText(obstacle: NodeObstacle, there: string): string | undefined {
  switch (obstacle.code) {
    case 'storage-undefined':
      // PVE lists those that the caller may use or audit, and no others.
      return `storage ${obstacle.storage} is not defined, or not shown to the caller`;
    case 'storage-disabled':
      return `storage ${obstacle.storage} is disabled`;
    case 'storage-elsewhere':
      return `storage ${obstacle.storage} is kept to ${obstacle.nodes.join(', ')}`;
    case 'storage-unseen':
      return `storage ${obstacle.storage} is not available ${there}`;
    case 'storage-offline':
      return `storage ${obstacle.storage} is offline ${there}`;
    case 'storage-content':
      return `storage ${obstacle.storage} does not hold ${obstacle.content === 'iso' ? 'ISO' : 'VM'} images`;
    case 'bridge-missing': {
      const hidden = `, or the caller lacks SDN.Audit on /sdn/zones/localnetwork/${obstacle.bridge}`;
      return `bridge ${obstacle.bridge} does not exist ${there}${obstacle.mayBeHidden ? hidden : ''}`;
    }
    case 'bridge-down':
      return `bridge ${obstacle.bridge} is not up ${there} (${obstacle.isStaged ? 'its change is not applied' : 'configured without autostart'})`;
    case 'bridge-taken':
      return `bridge ${obstacle.bridge} ${there} cannot be shared: ${bridgeText(obstacle.obstacle)}`;
    case 'vnet-elsewhere':
      return `vnet ${obstacle.vnet} is not ${there}: its zone ${obstacle.zone} is on ${obstacle.nodes.join(', ')}`;
    case 'vnet-down':
      return vnetText(obstacle, there);
    case 'vlan':
      return vlanText(obstacle, there);
    case 'mtu':
      return `${obstacle.zone === undefined ? 'bridge' : 'vnet'} ${obstacle.bridge} ${there} has MTU ${obstacle.most}, the NIC ${obstacle.mtu}`;
    case 'file': {
      const on = obstacle.on.length === 0 ? '' : `, only on ${obstacle.on.join(', ')}`;
      return `${obstacle.key} ${obstacle.volid} is not ${there}${on}`;
    }
    case 'mapping':
      return `${obstacle.key} uses ${obstacle.mapping.kind} mapping ${obstacle.mapping.id}, which has nothing ${there}`;
    case 'machine-type':
      return `QEMU ${there} does not know machine type ${obstacle.type} (newest: ${obstacle.newest})`;
    case 'cpu-type':
      return `the CPU ${there} is too old for CPU type ${obstacle.type} (lacks ${obstacle.lacks.slice(0, 3).join(', ')}${obstacle.lacks.length > 3 ? ', …' : ''})`;
    case 'cpu-sev':
      return `the CPU ${there} has no AMD ${obstacle.needs}`;
    case 'no-kvm':
      return `KVM is not available ${there}`;
    case 'cpus':
      return `has ${obstacle.cpus} CPUs, the node ${obstacle.threads}`;
    default:
      return undefined;
  }
}

function vnetText({ vnet, zone, why }: Extract<NodeObstacle, { code: 'vnet-down' }>, there: string): string {
  if (why === 'staged') return `vnet ${vnet} is not applied yet`;
  return why === 'pending'
    ? `zone ${zone} of vnet ${vnet} is not up to date ${there}`
    : `vnet ${vnet} is in error ${there}`;
}

function vlanText({ bridge, what }: Extract<NodeObstacle, { code: 'vlan' }>, there: string): string {
  if (what === 'vnet') return `vnet ${bridge} is not VLAN-aware and takes no tag`;
  return what === 'trunks'
    ? `${bridge} ${there} is not VLAN-aware and takes no trunks`
    : `${bridge} ${there} has no port and is not VLAN-aware, so that it takes no tag`;
}

/** Of the node as a whole, and of what is cloned. */
function cloneText(obstacle: NodeObstacle, node: string | undefined): string {
  switch (obstacle.code) {
    case 'source-offline':
      return `node ${obstacle.node}, which has template ${obstacle.vmid}, is offline`;
    case 'source':
      return `template ${obstacle.vmid} on ${obstacle.node}: ${sayObstacle(obstacle.obstacle, obstacle.node)}`;
    case 'only-there':
      return `${obstacle.key} of template ${obstacle.vmid} is on ${obstacle.storage}, which only ${obstacle.node} has`;
    case 'clone-unshared':
      return `a clone onto another node cannot go to ${obstacle.storage}, which is not shared`;
    case 'no-links':
      return `linked clones are impossible on ${obstacle.storage} (${obstacle.type}); set full_clone: true`;
    case 'copies-refused':
      return `a copy of the template has to be made first, ${COPIES_REFUSED[obstacle.why]}`;
    case 'copy-no-disk':
      return `template ${obstacle.vmid} has no disk, only an image that ${obstacle.node} has`;
    case 'copy-device':
      return `template ${obstacle.vmid} uses ${obstacle.key} of ${obstacle.node}, and PVE moves no VM with a device of its host`;
    case 'copy-no-storage':
      return `template ${obstacle.vmid} is on ${obstacle.storages.join(', ')} of ${obstacle.node}, and ${node ?? 'the node'} has no storage for VM images that a copy of it could go to`;
    case 'no-template':
      return 'there is no template';
    case 'of-several':
      return `${obstacle.templates}: none can be cloned ${node === undefined ? 'there' : `onto ${node}`}: ${obstacle.obstacles.map((one) => sayObstacle(one, node)).join('; ')}`;
    case 'device':
      return `uses ${obstacle.key} of ${obstacle.node}, and another node has another one`;
    case 'device-root':
      return `uses ${obstacle.key} without a mapping, and only root@pam may clone that`;
    case 'machine':
      return `machine ${obstacle.machine}: ${sayObstacle(obstacle.obstacle, node)}`;
    default:
      return '';
  }
}

/** With `node` a sentence of its own; without, what is said of one that was named: "is offline", "… is disabled". */
export function sayObstacle(obstacle: NodeObstacle, node?: string): string {
  const subject = node === undefined ? '' : `node ${node} `;
  switch (obstacle.code) {
    case 'node-missing':
      return `${subject}does not exist`;
    case 'node-offline':
      return `${subject}is offline`;
    case 'maintenance':
      return `${subject}is in maintenance`;
    case 'unwanted':
      return `the lab keeps its stands off ${node ?? 'it'}`;
    case 'network-unreadable':
      return node === undefined
        ? 'its network configuration cannot be read'
        : `the network configuration of ${node} cannot be read`;
    case 'foreign-pending':
      return obstacle.text;
    default:
      return thingText(obstacle, node === undefined ? 'there' : `on ${node}`) ?? cloneText(obstacle, node);
  }
}

/** What to do about it; undefined: the text says it. */
export function wayOut(obstacle: NodeObstacle, node: string): string | undefined {
  switch (obstacle.code) {
    case 'source':
      return wayOut(obstacle.obstacle, obstacle.node);
    case 'machine':
      return wayOut(obstacle.obstacle, node);
    case 'of-several':
      return obstacle.obstacles.map((one) => wayOut(one, node)).find((way) => way !== undefined);
    case 'storage-undefined':
      return `define storage ${obstacle.storage} again in Datacenter → Storage, or name another template; where it is defined, give the caller Datastore.AllocateSpace on /storage/${obstacle.storage}`;
    case 'storage-disabled':
      return `enable it: \`${shellCommand('pvesm', 'set', obstacle.storage, '--disable', '0')}\``;
    case 'storage-elsewhere':
      return `add the node to storage ${obstacle.storage} in Datacenter → Storage`;
    case 'storage-unseen':
      return `see that storage ${obstacle.storage} is defined for the node and that the caller has Datastore.AllocateSpace on /storage/${obstacle.storage}`;
    case 'storage-offline':
      return `see why it cannot be reached: \`${shellCommand('pvesm', 'status', '--storage', obstacle.storage)}\` on ${node}`;
    case 'storage-content':
      return `allow ${obstacle.content === 'iso' ? 'ISO' : 'disk'} images on storage ${obstacle.storage} in Datacenter → Storage`;
    case 'bridge-missing':
      return `make ${obstacle.bridge} in ${node} → System → Network, or write "**${obstacle.bridge}**" in the lab`;
    case 'bridge-down':
      return obstacle.isStaged
        ? `apply the configuration in ${node} → System → Network`
        : `set Autostart of ${obstacle.bridge} in ${node} → System → Network and apply it`;
    case 'bridge-taken':
      return bridgeHint(obstacle.obstacle, { node, iface: obstacle.bridge });
    case 'vnet-elsewhere':
      return `add the node to zone ${obstacle.zone} in Datacenter → SDN and apply it`;
    case 'vnet-down':
      // Applying puts into force what is staged in System → Network of every node, too.
      return obstacle.why === 'error'
        ? `see the last "srvreload" task of ${node}, mend what it says and apply Datacenter → SDN again`
        : 'apply it in Datacenter → SDN';
    case 'vlan':
      return obstacle.what === 'vnet'
        ? `make vnet ${obstacle.bridge} VLAN-aware, or leave out the tag`
        : `make ${obstacle.bridge} VLAN-aware in ${node} → System → Network`;
    case 'mtu': {
      const { mtu, bridge, zone } = obstacle;
      const where =
        zone === undefined
          ? `on ${bridge} in ${node} → System → Network`
          : `for zone ${zone} in Datacenter → SDN and apply it`;
      return `set MTU ${mtu} ${where}, or write "mtu: 1" for the bridge's own`;
    }
    case 'file':
      return `put ${obstacle.volid} on every node that is to take stands, or on a storage that all share`;
    case 'mapping':
      return `add ${node} to mapping ${obstacle.mapping.id} of ${MAPPINGS[obstacle.mapping.kind]} in Datacenter → Resource Mappings`;
    case 'device-root':
      return 'make a resource mapping of it (Datacenter → Resource Mappings), and let the template use that';
    case 'machine-type':
      return `upgrade ${node}, or choose a machine type in the template that it knows`;
    case 'cpu-type':
      return 'choose a CPU type in the template that every node can give, such as kvm64';
    case 'cpu-sev':
      return 'leave `amd-sev` out of the template, or enable it in the BIOS of nodes that can';
    case 'no-kvm':
      return `enable virtualisation in the BIOS of ${node}, or switch KVM off in the template (slow)`;
    case 'cpus':
      return 'give the machine fewer `cores`';
    default:
      return undefined;
  }
}

/** What is true of several nodes, once. */
export interface SharedObstacle {
  /** In natural order. */
  readonly nodes: readonly string[];
  /** Of one node a sentence of its own, of several what is said of each. */
  readonly text: string;
  readonly wayOut?: string;
}

export function shareObstacles(obstacles: ReadonlyMap<string, NodeObstacle>): SharedObstacle[] {
  const groups = groupBy(obstacles, ([, obstacle]) => sayObstacle(obstacle));
  return [...groups].flatMap(([shared, entries]) => {
    const [first, ...others] = entries;
    if (!first) return [];
    const way = wayOut(first[1], first[0]);
    return {
      nodes: sortedUnique(entries.map(([node]) => node)),
      text: others.length === 0 ? sayObstacle(first[1], first[0]) : shared,
      ...(way === undefined ? {} : { wayOut: way }),
    };
  });
}

/** `no stand goes to pve2, pve3: storage ceph is offline there (see …)`. */
export function obstacleNotes(obstacles: ReadonlyMap<string, NodeObstacle>): string[] {
  return shareObstacles(obstacles).map(
    ({ nodes, text, wayOut: way }) =>
      `no stand goes to ${nodes.join(', ')}: ${text}${way === undefined ? '' : ` (${way})`}`,
  );
}
