/** What a student changed on a finished VM, field by field: reported, never repaired. Judges no machine that is unfinished. */
import { pluggedBridge } from '../../config/lab/networks.ts';
import { GIB, MIB } from '../../bytes.ts';
import { hasAgent, isProtected, nameIn } from '../../pve-values/guest-flags.ts';
import type { Machine } from '../../config/types.ts';
import type { VmConfig } from '../../inventory/types.ts';
import { compareNatural } from '../../order.ts';
import { labTag, TAG } from '../../marks/vm.ts';
import { formatTags, parseTags } from '../../pve-values/tags.ts';
import { memoryOf } from '../../pve-values/memory.ts';
import { presentNics, type PresentNic } from '../../pve-values/nics.ts';
import type { OptionGroup } from '../../pve-values/vm-options.ts';
import { volumesOf } from '../../pve-values/volumes.ts';
import { otherStand, type StandName } from '../cluster/stand-networks.ts';
import { bridgeOn, type ClusterView } from '../cluster/view.ts';
import type { Drift } from '../document/plan.ts';
import { managementCards, nicIndex, nicsBefore } from '../../config/lab/device-profiles.ts';
import type { PresentVm } from './state.ts';

interface Comparison {
  readonly machine: Machine;
  readonly vm: Pick<PresentVm, 'vmid' | 'node' | 'config' | 'nicShift'>;
  /** Alias → bridge, where one is known. */
  readonly bridges: ReadonlyMap<string, string>;
  /** Absent: it cannot be read, and what the lab leaves to it is not compared. */
  readonly template?: VmConfig | undefined;
  readonly index: ClusterView;
  readonly user: string;
  readonly lab: string;
}

/** Of a stand's own bridge: whose, unless it is this stand's. An old snapshot may name a number that went to another one. */
function othersBridge({ index, vm, user, lab }: Comparison, bridge: string): string | undefined {
  const isOwn = (stand: StandName): boolean => stand.user === user && stand.lab === lab;
  const other = otherStand(bridge, index.bridges.get(vm.node), isOwn);
  return other && `${other.user}, lab ${other.lab}`;
}

function placeOf(
  comparison: Comparison,
  bridge: string | undefined,
): Pick<Drift, 'kind'> & { readonly where: string } {
  if (bridge === undefined) return { kind: 'card', where: 'on no bridge' };
  const whose = othersBridge(comparison, bridge);
  return whose === undefined
    ? { kind: 'card', where: `on ${bridge}` }
    : { kind: 'foreign-bridge', where: `on ${bridge}, the bridge of ${whose}` };
}

function cardDrift(
  comparison: Comparison,
  position: number,
  index: number,
  nic: PresentNic | undefined,
): Drift[] {
  const { machine, bridges } = comparison;
  const network = machine.networks[position];
  const field = `net${index}`;
  if (!network) return [];
  const { tag, linkDown } = network;
  const bridge = pluggedBridge(network, bridges);
  if (!nic) return [{ kind: 'card', field, is: null, ought: bridge ?? null, text: `${field} was removed` }];
  const drift: Drift[] = [];
  if (bridge !== undefined && nic.bridge !== bridge) {
    const { kind, where } = placeOf(comparison, nic.bridge);
    return [
      { kind, field, is: nic.bridge ?? null, ought: bridge, text: `${field} is ${where}, not ${bridge}` },
    ];
  }
  if (nic.tag !== tag) {
    const [is, ought] = [nic.tag?.toString() ?? 'none', tag?.toString() ?? 'none'];
    drift.push({ kind: 'card', field, is, ought, text: `${field} has VLAN ${is}, not ${ought}` });
  }
  const isDown = nic.isDown === true;
  if (isDown !== (linkDown === true)) {
    const [is, ought] = isDown ? ['unplugged', 'plugged in'] : ['plugged in', 'unplugged'];
    drift.push({ kind: 'card', field, is, ought, text: `${field} is ${is}` });
  }
  return drift;
}

function nicDrift(comparison: Comparison): Drift[] {
  const { machine, vm } = comparison;
  const present = new Map(presentNics(vm.config.values).map((nic) => [nic.index, nic]));
  const drift = machine.networks.flatMap((_, position) => {
    const index = nicIndex(machine, position, vm.nicShift);
    const nic = present.get(index);
    present.delete(index);
    return cardDrift(comparison, position, index, nic);
  });
  for (const { index } of managementCards(machine)) present.delete(index);
  for (const index of nicsBefore(machine, vm.nicShift)) present.delete(index);
  for (const { index, bridge } of present.values()) {
    const field = `net${index}`;
    const { kind, where } = placeOf(comparison, bridge);
    drift.push({ kind, field, is: bridge ?? null, ought: null, text: `${field} was added ${where}` });
  }
  return drift;
}

/** Has this VM the cards that this machine of the lab is to have? */
export function hasCardsOf(comparison: Comparison): boolean {
  return nicDrift(comparison).length === 0;
}

/** Where the lab leaves it to the template, more of it is told: it is no part of what is reckoned with. */
function more(field: string, is: number, lab: number | undefined, given: number | undefined): Drift[] {
  const ought = lab ?? given;
  if (ought === undefined || is === ought || (lab === undefined && is < ought)) return [];
  const than = lab === undefined ? `the template has ${ought}` : `not ${ought}`;
  return [
    { kind: 'resource', field, is: String(is), ought: String(ought), text: `${field} is ${is}, ${than}` },
  ];
}

/** PVE's default for both. */
const numberOf = (config: VmConfig, key: 'cores' | 'sockets'): number => Number(config.values[key] ?? 1);

function cpuDrift({ machine, vm: { config }, template }: Comparison): Drift[] {
  const given = (key: 'cores' | 'sockets') => (template ? numberOf(template, key) : undefined);
  return [
    ...more('cores', numberOf(config, 'cores'), machine.cores, given('cores')),
    ...more('sockets', numberOf(config, 'sockets'), undefined, given('sockets')),
  ];
}

function memoryDrift({ machine, vm: { config }, template }: Comparison): Drift[] {
  const given = template && memoryOf(template.values) / MIB;
  return more('memory', memoryOf(config.values) / MIB, machine.memory, given);
}

const sizeText = (bytes: number): string =>
  bytes === 0 ? 'unknown size' : `${Math.round((bytes / GIB) * 100) / 100}G`;

/** Discs in a drive are no part of a machine. */
function disksOf(config: VmConfig): Map<string, number> {
  const disks = volumesOf(config.values).filter(({ kind }) => kind === 'disk');
  return new Map(disks.map(({ key, bytes }) => [key, bytes]));
}

function diskDrift({ vm: { config }, template }: Comparison): Drift[] {
  if (!template) return [];
  const [present, given] = [disksOf(config), disksOf(template)];
  const fields = [...new Set([...present.keys(), ...given.keys()])].sort(compareNatural);
  return fields.flatMap((field): Drift[] => {
    const [is, ought] = [present.get(field), given.get(field)];
    const said = { kind: 'resource' as const, field };
    if (is === undefined) {
      return [{ ...said, is: null, ought: sizeText(ought ?? 0), text: `${field} was taken away` }];
    }
    if (ought === undefined) {
      return [{ ...said, is: sizeText(is), ought: null, text: `${field} was added (${sizeText(is)})` }];
    }
    if (is <= ought || ought === 0) return [];
    const text = `${field} has ${sizeText(is)}, the template ${sizeText(ought)}`;
    return [{ ...said, is: sizeText(is), ought: sizeText(ought), text }];
  });
}

function bootDrift({ vm: { config }, template }: Comparison): Drift[] {
  const [is, ought] = [config.values['boot'], template?.values['boot']];
  if (!template || is === ought) return [];
  const text = `boot is ${is ?? 'unset'}, the template has ${ought ?? 'none'}`;
  return [{ kind: 'resource', field: 'boot', is: is ?? null, ought: ought ?? null, text }];
}

/** It changes nothing of what a machine does, but people look for it by its name. */
function nameDrift({ machine, vm: { config } }: Comparison): Drift[] {
  const name = nameIn(config.values);
  if (name === undefined || name === machine.name) return [];
  return [
    { kind: 'resource', field: 'name', is: name, ought: machine.name, text: `it is called ${name} now` },
  ];
}

/** It changes nothing of what a machine does, and keeps it from being removed. */
function protectionDrift({ vm: { config } }: Comparison): Drift[] {
  if (!isProtected(config.values)) return [];
  const text = 'it is protected: cleanup takes --force-protected';
  return [{ kind: 'resource', field: 'protection', is: 'on', ought: 'off', text }];
}

const cloudDrivesOf = (config: VmConfig): string[] =>
  volumesOf(config.values).flatMap(({ kind, key }) => (kind === 'cloud-init' ? [key] : []));

/** Of a machine that was configured by us: what it was taken over with is told of none. */
function tagDrift({ machine, vm: { config }, template, lab }: Comparison): Drift[] {
  const tags = parseTags(config.values['tags']);
  if (!template || !tags.includes(TAG)) return [];
  const known = new Set(
    [...machine.tags, TAG, labTag(lab), ...parseTags(template.values['tags'])].map((tag) =>
      tag.toLowerCase(),
    ),
  );
  const own = tags.filter((tag) => !known.has(tag));
  if (own.length === 0) return [];
  const said = { kind: 'resource' as const, field: 'tags' };
  return [
    {
      ...said,
      is: tags.join(';'),
      ought: formatTags(tags.filter((tag) => known.has(tag))),
      text: `it is tagged ${own.join(', ')}`,
    },
  ];
}

function onbootDrift({ vm: { config } }: Comparison): Drift[] {
  if (config.values['onboot'] !== '1') return [];
  const text = 'it starts with its node (onboot)';
  return [{ kind: 'resource', field: 'onboot', is: 'on', ought: 'off', text }];
}

/** Checks ask the agent. */
function agentDrift({ vm, template }: Comparison): Drift[] {
  if (!template) return [];
  const { values } = vm.config;
  const has = hasAgent(values);
  if (has === hasAgent(template.values)) return [];
  const [is, ought] = has ? ['on', 'off'] : ['off', 'on'];
  const text = `agent is ${is}, the template has it ${ought}`;
  return [{ kind: 'resource', field: 'agent', is, ought, text }];
}

/** Of cloud-init the drive; what is on it a student may well set anew. */
function cloudDriveDrift({ vm: { config }, template }: Comparison): Drift[] {
  if (!template) return [];
  const [present, given] = [cloudDrivesOf(config), cloudDrivesOf(template)];
  const added = present.filter((key) => !given.includes(key));
  const gone = given.filter((key) => !present.includes(key));
  return [
    ...added.map((field): Drift => {
      const text = `${field} was added (cloud-init drive)`;
      return { kind: 'resource', field, is: 'cloud-init', ought: null, text };
    }),
    ...gone.map((field): Drift => {
      const text = `${field} was taken away (cloud-init drive)`;
      return { kind: 'resource', field, is: null, ought: 'cloud-init', text };
    }),
  ];
}

/** What is compared, in the order in which it is told: each group of options that labs set, and what else a student can change. */
const COMPARED: Readonly<
  Record<
    OptionGroup | 'cards' | 'disks' | 'boot' | 'name' | 'agent' | 'tags',
    (comparison: Comparison) => Drift[]
  >
> = {
  cards: nicDrift,
  cores: cpuDrift,
  memory: memoryDrift,
  disks: diskDrift,
  boot: bootDrift,
  name: nameDrift,
  protection: protectionDrift,
  onboot: onbootDrift,
  agent: agentDrift,
  'cloud-init': cloudDriveDrift,
  tags: tagDrift,
};

/** Cards on bridges of other stands first: of all that a student can change, that alone reaches another one. */
export function driftOf(comparison: Comparison): Drift[] {
  const drift = Object.values(COMPARED).flatMap((compare) => compare(comparison));
  const isForeign = ({ kind }: Drift): boolean => kind === 'foreign-bridge';
  return [...drift.filter(isForeign), ...drift.filter((one) => !isForeign(one))];
}

/**
 * A clone has the disks of its template, and a student who detaches one keeps it as unused: what has none of them is another
 * machine under the same number.
 */
export function isMadeByHand(config: VmConfig, template: VmConfig | undefined): boolean {
  const hasDisk = (of: VmConfig): boolean => volumesOf(of.values).some(({ kind }) => kind === 'disk');
  const isKept = Object.keys(config.values).some((key) => /^unused\d+$/.test(key));
  return template !== undefined && hasDisk(template) && !hasDisk(config) && !isKept;
}

/** Of a finished machine without our mark: by it deploy knows what it has set. */
export function notesLost(config: VmConfig, template: VmConfig | undefined): Drift {
  return {
    ...{ kind: 'resource', field: 'notes', is: null, ought: null },
    text: isMadeByHand(config, template)
      ? 'it was removed and made anew by hand, without disks: changes of the lab do not reach it'
      : 'its notes were emptied or rewritten, or it was made anew by hand: changes of the lab do not reach it',
  };
}

/** Where the stand's networks are on a node. */
export function bridgesOn(
  { node, ...stand }: { readonly user: string; readonly lab: string; readonly node: string },
  aliases: Iterable<string>,
  index: ClusterView,
): Map<string, string> {
  return new Map(
    [...aliases].flatMap((alias): [string, string][] => {
      const bridge = bridgeOn(stand, alias, { node, index });
      return bridge ? [[alias, bridge.iface]] : [];
    }),
  );
}

/** For people. Empty: as the lab says. */
export function driftNote({ name }: Machine, vmid: number, drift: readonly Drift[]): string[] {
  if (drift.length === 0) return [];
  return [`VM ${vmid} (${name}) was changed: ${drift.map(({ text }) => text).join('; ')} (left as it is)`];
}
