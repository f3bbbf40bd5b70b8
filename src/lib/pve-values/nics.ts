/** Reads and writes the network cards (`netN`) of guests' configurations. Judges no bridge. */
import { propertiesOf } from './property-string.ts';

export interface PresentNic {
  readonly index: number;
  readonly model: string;
  /** Upper case; absent: none is written. */
  readonly mac?: string;
  /** Absent: it is on none. */
  readonly bridge?: string;
  readonly tag?: number;
  readonly mtu?: number;
  /** Unplugged. */
  readonly isDown?: true;
}

/** A card as it is to be. Without `mac` the VM's present MAC is kept, or PVE draws one. */
export interface Nic {
  readonly index: number;
  readonly model: string;
  readonly bridge: string;
  readonly mac?: string;
  readonly tag?: number;
  readonly trunks?: readonly string[];
  readonly firewall?: boolean;
  readonly linkDown?: boolean;
  readonly mtu?: number;
}

function parseNic(index: number, value: string): PresentNic {
  let model = '';
  let mac: string | undefined;
  let bridge: string | undefined;
  let tag: number | undefined;
  let mtu: number | undefined;
  let isDown = false;
  for (const { key, value: text = '' } of propertiesOf(value)) {
    if (key === 'bridge') bridge = text || undefined;
    else if (key === 'tag') tag = Number(text);
    else if (key === 'mtu') mtu = Number(text);
    else if (key === 'link_down') isDown = text === '1';
    else if (key === 'model') model = text;
    else if (key === 'macaddr') mac = text.toUpperCase() || undefined;
    else if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) {
      model = key; // PVE's short form `virtio=AA:BB:…`
      mac = text.toUpperCase();
    } else if (model === '' && text === '') model = key;
  }
  return {
    ...{ index, model },
    ...(mac === undefined ? {} : { mac }),
    ...(bridge === undefined ? {} : { bridge }),
    ...(tag === undefined ? {} : { tag }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(isDown ? { isDown } : {}),
  };
}

/** NICs by index, ascending. */
export function presentNics(values: Readonly<Record<string, string>>): PresentNic[] {
  const nics: PresentNic[] = [];
  for (const [key, value] of Object.entries(values)) {
    const match = /^net(\d+)$/.exec(key);
    if (match) nics.push(parseNic(Number(match[1]), value));
  }
  return nics.sort((a, b) => a.index - b.index);
}

/** A card that is on a bridge. */
export type PluggedNic = PresentNic & { readonly bridge: string };

function isPlugged(nic: PresentNic): nic is PluggedNic {
  return nic.bridge !== undefined;
}

export function pluggedNics(values: Readonly<Record<string, string>>): PluggedNic[] {
  return presentNics(values).filter(isPlugged);
}

/** The bridges they are on, in the order of the cards. */
export function bridgesIn(values: Readonly<Record<string, string>>): string[] {
  return pluggedNics(values).map(({ bridge }) => bridge);
}

/** `netN` as PVE writes it. Without a MAC, PVE draws one; sub-options that are not sent are lost. */
export function formatNic(nic: Nic, mac: string | undefined): string {
  return [
    mac === undefined ? `model=${nic.model}` : `${nic.model}=${mac}`,
    `bridge=${nic.bridge}`,
    ...(nic.tag === undefined ? [] : [`tag=${nic.tag}`]),
    ...(nic.firewall === true ? ['firewall=1'] : []),
    ...(nic.linkDown === true ? ['link_down=1'] : []),
    ...(nic.trunks === undefined || nic.trunks.length === 0 ? [] : [`trunks=${nic.trunks.join(';')}`]),
    ...(nic.mtu === undefined ? [] : [`mtu=${nic.mtu}`]),
  ].join(',');
}
