/** What the type of a device makes of its network cards. Knows the lab's words only. */
import type { Machine, Network } from '../../config/types.ts';

/** NIC index of `networks[position]`: an ecorouter's net0 is its management port. */
export function nicIndex(machine: Machine, position: number): number {
  return machine.deviceType === 'ecorouter' ? position + 1 : position;
}

export function nicModel(machine: Machine, network: Network): string {
  return network.model ?? (machine.deviceType === 'ecorouter' ? 'vmxnet3' : 'virtio');
}

export function nicFirewall(machine: Machine, network: Network): boolean {
  return network.firewall ?? machine.deviceType === 'linux';
}
