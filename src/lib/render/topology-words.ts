/** What every picture of a topology writes into its boxes and beside its lines. */
import type { TopologyLink, TopologyMachine, TopologyNetwork } from '../plan/views/topology-types.ts';

const KIND = { uplink: 'bridge of the cluster', shared: 'shared by all', own: "the student's own" } as const;

export function machineWords({ name, device, template, cores, memory }: TopologyMachine): string[] {
  const size = [
    ...(cores === undefined ? [] : [`${cores} ${cores === 1 ? 'core' : 'cores'}`]),
    ...(memory === undefined ? [] : [memory % 1024 === 0 ? `${memory / 1024} GiB` : `${memory} MiB`]),
  ].join(', ');
  const what = device === 'linux' ? template : `${device}, ${template}`;
  return [name, what, ...(size === '' ? [] : [size])];
}

export function networkWords({ name, kind, vlans }: TopologyNetwork): string[] {
  return [name, vlans.length === 0 ? KIND[kind] : `${KIND[kind]}, VLAN ${vlans.join(', ')}`];
}

/** `net1`, `net1 VLAN 10`, `net1 trunk 10,20`, `net1 unplugged`. */
export function linkWords({ nic, vlan, trunks, isDown }: TopologyLink): string {
  return [
    nic,
    ...(vlan === undefined ? [] : [`VLAN ${vlan}`]),
    ...(trunks === undefined ? [] : [`trunk ${trunks.join(',')}`]),
    ...(isDown ? ['unplugged'] : []),
  ].join(' ');
}
