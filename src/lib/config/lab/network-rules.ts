/** The rules for a lab's networks: bridges, VLANs, NICs and MAC addresses. They report and never change anything. */
import { USUAL_MTU } from '../../pve-values/interfaces.ts';
import type { Issues } from '../input/issues.ts';
import { writtenNetworks, tagOf, type LabView, type NetworkView } from './written-lab.ts';
import { integer, list, text } from '../input/written.ts';
import { writtenProfile } from './device-profiles.ts';

/** net0…net31 (qemu-server, QemuServer.pm). */
const MAX_NICS = 32;
/** Linux refuses longer interface names (IFNAMSIZ). */
const MAX_IFACE = 15;
/** That of IP. */
const MIN_MTU = 576;
/** PVE makes `<bridge>v<tag>` for a tag on a bridge with a port: `v` and four digits must fit too. */
const SAFE_IFACE = 10;

function isVlan(tag: number): boolean {
  return tag >= 1 && tag <= 4094;
}

function vlanTagsAreInRange(lab: LabView, issues: Issues): void {
  for (const { path, raw, bridge, written } of writtenNetworks(lab)) {
    const { tag } = raw;
    const hint = 'choose a VLAN from 1 to 4094';
    if (bridge.tag !== undefined && !isVlan(bridge.tag)) {
      issues.add([...path, 'bridge'], `VLAN ${bridge.tag} is outside 1–4094`, { value: written, hint });
    }
    const number = integer(tag);
    if (number !== undefined && !isVlan(number)) {
      issues.add([...path, 'tag'], `VLAN ${number} is outside 1–4094`, { value: number, hint });
    }
  }
}

function tagIsGivenOnce(lab: LabView, issues: Issues): void {
  for (const { path, raw, bridge, written } of writtenNetworks(lab)) {
    const tag = integer(raw['tag']);
    if (tag === undefined || bridge.tag === undefined || tag === bridge.tag) continue;
    const message = `two VLAN tags: ${bridge.tag} in "${written}" and ${tag} in tag`;
    issues.add([...path, 'tag'], message, { value: tag, hint: 'keep one of them' });
  }
}

function trunksAreRanges(lab: LabView, issues: Issues): void {
  for (const { path, raw } of writtenNetworks(lab)) {
    const { trunks } = raw;
    const parts: { index?: number; part: unknown }[] =
      typeof trunks === 'string'
        ? trunks.split(/[;,]/).map((part) => ({ part: part.trim() }))
        : list(trunks).map((part, index) => ({ index, part }));
    for (const { index, part } of parts) {
      if (isTrunk(part)) continue;
      const where = [...path, 'trunks', ...(index === undefined ? [] : [index])];
      const hint = 'VLANs from 1 to 4094 or ranges of them: [10, "20-30"]';
      issues.add(where, 'is no VLAN and no range of VLANs', { value: part, hint });
    }
  }
}

function isTrunk(part: unknown): boolean {
  const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(String(part));
  if (!match) return false;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return isVlan(first) && isVlan(last) && first <= last;
}

function bridgeNamesAreLegal(lab: LabView, issues: Issues): void {
  for (const network of writtenNetworks(lab)) {
    const { bridge, path, written } = network;
    const where = [...path, 'bridge'];
    if (!/^[-_.\w]+$/.test(bridge.name)) {
      const hint = bridge.name.includes('*')
        ? 'two stars before and after the whole name: "**vmbr100**"'
        : 'use Latin letters, digits and - _ .';
      issues.add(where, 'has characters that PVE refuses in a bridge name', { value: written, hint });
    } else if (bridge.kind === 'real') {
      realNameIsUsable(network, issues);
    } else if (/^vmbr\d+$/i.test(bridge.name)) {
      const hint = `write ${bridge.name.toLowerCase()} if that bridge is meant`;
      issues.warn(where, `"${bridge.name}" is an alias: only lower-case vmbrN is a real bridge`, { hint });
    } else if (bridge.name.length > 40) {
      issues.add(where, 'an alias has at most 40 characters', { value: written });
    }
  }
}

function realNameIsUsable(network: NetworkView, issues: Issues): void {
  const { bridge, path, written } = network;
  const { name } = bridge;
  const where = [...path, 'bridge'];
  const tag = tagOf(network);
  if (name.length > MAX_IFACE) {
    const message = `Linux refuses interface names of more than ${MAX_IFACE} characters (this has ${name.length})`;
    issues.add(where, message, { value: written, hint: 'choose a shorter bridge name' });
  } else if (name.length > SAFE_IFACE && tag !== undefined) {
    const message = `the bridge name is too long for a VLAN tag: PVE would make the interface ${name}v${tag}`;
    if (`${name}v${tag}`.length > MAX_IFACE)
      issues.add(where, message, { value: written, hint: 'at most 10 characters' });
  } else if (name.length > SAFE_IFACE) {
    issues.warn(where, `"${name}" has more than ${SAFE_IFACE} characters: it cannot carry every VLAN tag`);
  } else if (bridge.reserved && !/^[a-z][a-z0-9_]+$/i.test(name)) {
    issues.warn(where, `PVE cannot create a bridge named "${name}"; it has to exist`);
  }
}

function starsAgreeWithFlag(lab: LabView, issues: Issues): void {
  for (const { path, raw, bridge, written } of writtenNetworks(lab)) {
    if (!bridge.starred || raw['reserved'] !== false) continue;
    const hint = 'remove reserved: false, or the stars';
    issues.add([...path, 'reserved'], `"${written}" is reserved, and reserved: false says it is not`, {
      hint,
    });
  }
}

/** Otherwise one spelling would mean the shared bridge and the other a bridge per user. */
function bridgesPlayOneRole(lab: LabView, issues: Issues): void {
  const first = new Map<string, NetworkView>();
  for (const network of writtenNetworks(lab)) {
    const { name, kind } = network.bridge;
    const other = first.get(name);
    if (!other) {
      first.set(name, network);
    } else if (other.bridge.kind !== kind) {
      const line = issues.line([...other.path, 'bridge']);
      const roles = { real: 'a real bridge', alias: 'an alias' };
      const message = `"${name}" is ${roles[kind]} here and ${roles[other.bridge.kind]} on line ${line}`;
      const hint = `write "**${name}**" everywhere for the shared bridge, or rename the alias`;
      issues.add([...network.path, 'bridge'], message, { value: network.written, hint });
    }
  }
}

function aliasesDifferByMoreThanCase(lab: LabView, issues: Issues): void {
  const spellings = new Map<string, string>();
  for (const { bridge, path } of writtenNetworks(lab)) {
    if (bridge.kind !== 'alias') continue;
    const key = bridge.name.toLowerCase();
    const known = spellings.get(key) ?? bridge.name;
    spellings.set(key, known);
    if (known === bridge.name) continue;
    issues.warn(
      [...path, 'bridge'],
      `"${bridge.name}" and "${known}" differ only in case: they are two networks`,
    );
  }
}

function nicsFit({ machines }: LabView, issues: Issues): void {
  for (const { path, raw } of machines) {
    const before = writtenProfile(raw['device_type']).managementCards.length;
    const most = MAX_NICS - before;
    const count = list(raw['networks']).length;
    if (count <= most) continue;
    const reason = before > 0 ? ' beside the management port' : '';
    const hint = 'remove networks, or carry several VLANs on one NIC with trunks';
    issues.add([...path, 'networks'], `${count} networks, but PVE allows ${most} NICs${reason}`, {
      hint,
      at: 'key',
    });
  }
}

function macsAreUsable(lab: LabView, issues: Issues): void {
  const seen = new Map<string, NetworkView>();
  for (const network of writtenNetworks(lab)) {
    const mac = text(network.raw['mac'])?.toUpperCase();
    const where = [...network.path, 'mac'];
    if (mac === undefined || !/^([0-9A-F]{2}:){5}[0-9A-F]{2}$/.test(mac)) continue;
    if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 1 || mac === '00:00:00:00:00:00') {
      const hint = 'the second digit must be even, as in BC:24:11:00:00:01';
      issues.add(where, 'is no unicast MAC address', { value: mac, hint });
    }
    const other = seen.get(mac);
    if (other) {
      const line = issues.line([...other.path, 'mac']);
      issues.add(where, `the MAC address is used twice (first on line ${line})`, {
        value: mac,
        hint: 'change one of them',
      });
    } else seen.set(mac, network);
  }
}

/** QemuServer.pm print_netdevice_full: a machine with another one does not start. 1 is that of the bridge. */
function mtuFits({ raw, path, bridge }: NetworkView, issues: Issues): void {
  const mtu = integer(raw['mtu']) ?? 1;
  const where = [...path, 'mtu'];
  const hint = 'write "mtu: 1" for that of the bridge, or leave it out';
  if (mtu > 1 && mtu < MIN_MTU)
    issues.add(where, `an MTU has to be ${MIN_MTU} at least`, { value: mtu, hint });
  if (bridge.kind === 'alias' && mtu > USUAL_MTU)
    issues.add(where, `bridges of students' own have MTU ${USUAL_MTU}`, { value: mtu, hint });
}

function mtuHasAnEffect({ machines }: LabView, issues: Issues): void {
  for (const { raw, networks } of machines) {
    const usual = writtenProfile(raw['device_type']).model;
    for (const network of networks) {
      const model = text(network.raw['model']) ?? usual;
      if (model === 'virtio') mtuFits(network, issues);
      else if (network.raw['mtu'] !== undefined)
        issues.warn([...network.path, 'mtu'], `PVE sets an MTU on virtio NICs only, not on ${model}`);
    }
  }
}

export const networkRules: readonly ((lab: LabView, issues: Issues) => void)[] = [
  vlanTagsAreInRange,
  tagIsGivenOnce,
  trunksAreRanges,
  bridgeNamesAreLegal,
  starsAgreeWithFlag,
  bridgesPlayOneRole,
  aliasesDifferByMoreThanCase,
  nicsFit,
  macsAreUsable,
  mtuHasAnEffect,
];
