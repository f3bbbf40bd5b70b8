/** Which network cards a machine gets, and which of their addresses stay; not which bridges there are. */
import { pluggedBridge, networkName } from '../../config/lab/networks.ts';
import type { Machine, Network } from '../../config/types.ts';
import { takeRouterMac } from '../stands/macs.ts';
import type { KeptMac } from '../../marks/pool.ts';
import { presentNics, type Nic } from '../../pve-values/nics.ts';
import {
  DEVICE_PROFILES,
  managementCards,
  nicFirewall,
  nicIndex,
  nicModel,
} from '../../config/lab/device-profiles.ts';
import type { PresentVm } from '../stands/state.ts';

function toNic(
  machine: Machine,
  network: Network,
  { index, bridge, mac }: { index: number; bridge: string; mac: string | undefined },
): Nic {
  return {
    index,
    model: nicModel(machine, network),
    bridge,
    ...(mac === undefined ? {} : { mac }),
    ...(network.tag === undefined ? {} : { tag: network.tag }),
    ...(network.trunks === undefined ? {} : { trunks: network.trunks }),
    ...(nicFirewall(machine, network) ? { firewall: true } : {}),
    ...(network.linkDown === true ? { linkDown: true } : {}),
    ...(network.mtu === undefined ? {} : { mtu: network.mtu }),
  };
}

interface MacChoice {
  readonly machine: Machine;
  readonly vmid: number;
  /** Set for configured VMs: their MACs never change. */
  readonly present: PresentVm | undefined;
  /** Of one that is made anew: what its cards had. */
  readonly kept: readonly KeptMac[];
  readonly macs: Set<string>;
}

/** Undefined: the handler keeps the MAC that the clone has (linux). */
function chooseMac(choice: MacChoice, index: number, wanted: string | undefined): string | undefined {
  const kept =
    choice.present?.spec === undefined
      ? undefined
      : presentNics(choice.present.config.values).find((nic) => nic.index === index)?.mac;
  if (kept !== undefined && kept !== '') return kept;
  const former = choice.kept.find((card) => card.index === index);
  if (former) return former.mac;
  if (wanted !== undefined) return wanted;
  return DEVICE_PROFILES[choice.machine.deviceType].hasRouterMacs
    ? takeRouterMac(choice.vmid, index, choice.macs)
    : undefined;
}

export function planNics(choice: MacChoice, bridges: ReadonlyMap<string, string>): Nic[] {
  const { machine } = choice;
  const nics: Nic[] = [];
  for (const { index, bridge, model } of managementCards(machine)) {
    const mac = chooseMac(choice, index, undefined);
    nics.push({
      index,
      model,
      bridge,
      ...(mac === undefined ? {} : { mac }),
      linkDown: true,
    });
  }
  machine.networks.forEach((network, position) => {
    const bridge = pluggedBridge(network, bridges) ?? networkName(network);
    const index = nicIndex(machine, position, choice.present?.nicShift ?? 0);
    nics.push(toNic(machine, network, { index, bridge, mac: chooseMac(choice, index, network.mac) }));
  });
  return nics;
}
