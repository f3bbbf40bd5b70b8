/** What every picture of a topology writes into its boxes and beside its lines, and the colours of its networks on paper. */
import type { PictureTexts } from './languages/report-texts.ts';
import type { TopologyLink, TopologyMachine, TopologyNetwork } from '../plan/views/topology-types.ts';

export const NETWORK_FILL: Readonly<Record<TopologyNetwork['kind'], string>> = {
  own: '#e3f1e7',
  uplink: '#e4ecfb',
  shared: '#fbf0dc',
};

export function machineWords(
  { name, device, template, cores, memory }: TopologyMachine,
  texts: PictureTexts,
): string[] {
  const size = [
    ...(cores === undefined ? [] : [texts.cores(cores)]),
    ...(memory === undefined ? [] : [memory % 1024 === 0 ? `${memory / 1024} GiB` : `${memory} MiB`]),
  ].join(', ');
  const what = device === 'linux' ? template : `${device}, ${template}`;
  return [name, what, ...(size === '' ? [] : [size])];
}

export function networkWords({ name, kind, vlans }: TopologyNetwork, texts: PictureTexts): string[] {
  return [name, vlans.length === 0 ? texts.kind[kind] : `${texts.kind[kind]}, VLAN ${vlans.join(', ')}`];
}

/** `net1`, `net1 VLAN 10`, `net1 trunk 10,20`, `net1 unplugged`. */
export function linkWords({ nic, vlan, trunks, isDown }: TopologyLink, texts: PictureTexts): string {
  return [
    nic,
    ...(vlan === undefined ? [] : [`VLAN ${vlan}`]),
    ...(trunks === undefined ? [] : [`trunk ${trunks.join(',')}`]),
    ...(isDown ? [texts.unplugged] : []),
  ].join(' ');
}
