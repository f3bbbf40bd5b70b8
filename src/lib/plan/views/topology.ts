/** How the machines of a lab are wired, as its file says it: a read model. Reads nothing. */
import { networkName, realOf } from '../../config/lab/networks.ts';
import type { Lab, Machine, Network, TemplateRef } from '../../config/types.ts';
import { sortedUnique } from '../../order.ts';
import { nicIndex } from '../../config/lab/device-profiles.ts';
import type { Topology, TopologyLink, TopologyMachine, TopologyNetwork } from './topology-types.ts';

function templateOf(ref: TemplateRef): string {
  if (ref.by === 'vmid') return String(ref.vmid);
  return ref.by === 'name' ? ref.name : `tag ${ref.tag}`;
}

function kindOf(network: Network): TopologyNetwork['kind'] {
  const real = realOf(network);
  if (!real) return 'own';
  return real.reserved ? 'shared' : 'uplink';
}

function machineOf({ name, deviceType, template, cores, memory }: Machine): TopologyMachine {
  return {
    ...{ name, device: deviceType, template: templateOf(template) },
    ...(cores === undefined ? {} : { cores }),
    ...(memory === undefined ? {} : { memory }),
  };
}

function linksOf(machine: Machine): TopologyLink[] {
  return machine.networks.map((network, at) => ({
    machine: machine.name,
    network: networkName(network),
    nic: `net${nicIndex(machine, at, 0)}`,
    ...(network.tag === undefined ? {} : { vlan: network.tag }),
    ...(network.trunks === undefined ? {} : { trunks: network.trunks }),
    isDown: network.linkDown === true,
  }));
}

/** In the order of the file. */
export function viewTopology({ name, machines }: Lab): Topology {
  const all = machines.flatMap(({ networks }) => networks);
  const links = machines.flatMap(linksOf);
  return {
    lab: name,
    machines: machines.map(machineOf),
    networks: sortedUnique(all.map(networkName)).flatMap((network): TopologyNetwork[] => {
      const of = all.filter((one) => networkName(one) === network);
      const [first] = of;
      const vlans = [...new Set(of.flatMap(({ tag }) => tag ?? []))].sort((a, b) => a - b);
      return first ? [{ name: network, kind: kindOf(first), vlans }] : [];
    }),
    links,
  };
}
