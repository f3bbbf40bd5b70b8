/** What the type of a device makes of its network cards. Knows the lab's words only. */
import { aliasOf } from './networks.ts';
import type { Machine, Network } from '../types.ts';
import { presentNics } from '../../pve-values/nics.ts';

interface ManagementCard {
  readonly index: number;
  readonly bridge: string;
}

/** Cards that the lab does not name, and that come before those that it does: an ecorouter's management port. */
export function managementCards({ deviceType }: Pick<Machine, 'deviceType'>): ManagementCard[] {
  return deviceType === 'ecorouter' ? [{ index: 0, bridge: 'vmbr0' }] : [];
}

/** The first index that networks of the lab may have. */
function firstNic(machine: Pick<Machine, 'deviceType'>): number {
  return managementCards(machine).length;
}

/** The network of the lab that is on this card, where no shift is known; undefined: none is. */
export function networkAt(
  machine: Pick<Machine, 'deviceType' | 'networks'>,
  index: number,
): Network | undefined {
  return machine.networks[index - firstNic(machine)];
}

/** NIC index of `networks[position]`; `shift` is that of the machine (stands/nic-shift.ts), 0 for those that we made. */
export function nicIndex(machine: Machine, position: number, shift: number): number {
  return firstNic(machine) + shift + position;
}

/** Cards that a shift leaves before those of the lab: what the older tool kept of the template. */
export function nicsBefore(machine: Machine, shift: number): number[] {
  return Array.from({ length: shift }, (_, i) => firstNic(machine) + i);
}

/** A card of a VM where its machine has a network of the stand's own. */
export interface OwnCard {
  readonly index: number;
  readonly alias: string;
  readonly bridge: string;
}

/** The bridges that a machine's own networks lead to in this VM. Other cards may have been plugged in by anybody. */
export function ownCards(
  machine: Machine,
  values: Readonly<Record<string, string>>,
  shift: number,
): OwnCard[] {
  const nics = new Map(presentNics(values).map((nic) => [nic.index, nic.bridge]));
  return machine.networks.flatMap((network, position): OwnCard[] => {
    const alias = aliasOf(network);
    const index = nicIndex(machine, position, shift);
    const bridge = nics.get(index);
    return alias === undefined || bridge === undefined ? [] : [{ index, alias, bridge }];
  });
}

export function nicModel(machine: Machine, network: Network): string {
  return network.model ?? (machine.deviceType === 'ecorouter' ? 'vmxnet3' : 'virtio');
}

export function nicFirewall(machine: Machine, network: Network): boolean {
  return network.firewall ?? machine.deviceType === 'linux';
}
