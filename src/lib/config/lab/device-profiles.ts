/** What the type of a device makes of its network cards. Knows the lab's words only. */
import { aliasOf } from './networks.ts';
import type { DeviceType, Machine, Network } from '../types.ts';
import { presentNics } from '../../pve-values/nics.ts';

interface ManagementCard {
  readonly index: number;
  readonly bridge: string;
  readonly model: string;
}

interface DeviceProfile {
  /** Cards that the lab does not name, and that come before those that it does. */
  readonly managementCards: readonly ManagementCard[];
  /** Of cards of which the lab does not say it. */
  readonly model: string;
  readonly firewall: boolean;
  /** Does a card without a MAC of its own get one of the routers' (stands/macs.ts)? Else PVE draws it. */
  readonly hasRouterMacs: boolean;
}

/** A row each: a further type does not compile until it is there. */
export const DEVICE_PROFILES: Readonly<Record<DeviceType, DeviceProfile>> = {
  linux: { managementCards: [], model: 'virtio', firewall: true, hasRouterMacs: false },
  ecorouter: {
    managementCards: [{ index: 0, bridge: 'vmbr0', model: 'vmxnet3' }],
    ...{ model: 'vmxnet3', firewall: false, hasRouterMacs: true },
  },
};

/** Of a type as somebody wrote it; what is none of them is told elsewhere. */
export function writtenProfile(deviceType: unknown): DeviceProfile {
  return Object.entries(DEVICE_PROFILES).find(([type]) => type === deviceType)?.[1] ?? DEVICE_PROFILES.linux;
}

export function managementCards({ deviceType }: Pick<Machine, 'deviceType'>): readonly ManagementCard[] {
  return DEVICE_PROFILES[deviceType].managementCards;
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
  return network.model ?? DEVICE_PROFILES[machine.deviceType].model;
}

export function nicFirewall(machine: Machine, network: Network): boolean {
  return network.firewall ?? DEVICE_PROFILES[machine.deviceType].firewall;
}
