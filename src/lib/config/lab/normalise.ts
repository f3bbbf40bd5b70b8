/** Turns a lab that passed schema and rules into the form that the rest of the program uses. Judges nothing. */
import { defaultStrategy } from './strategy-names.ts';
import { STUDENT, STUDENT_ROLE } from '../../marks/role.ts';
import { labTag, TAG } from '../../marks/vm.ts';
import { parseBridge } from '../../pve-values/bridge-name.ts';
import { normaliseCheck, type WrittenCheck } from '../checks/normalise.ts';
import { ALL_BRIDGES, bridgeRangeOf } from './bridge-range.ts';
import { vmidRangeOf } from './rules.ts';
import type { OuterBridges } from './written-lab.ts';
import type {
  Amount,
  CloudInit,
  DeviceType,
  Lab,
  Machine,
  Network,
  PasswordPolicy,
  Placement,
  Reserve,
  Strategy,
  TemplateRef,
} from '../types.ts';
import { compact } from '../../compact.ts';

interface WrittenNetwork {
  bridge: string;
  reserved?: boolean;
  model?: string;
  tag?: number;
  trunks?: string | (string | number)[];
  mac?: string;
  firewall?: boolean;
  link_down?: boolean;
  mtu?: number;
}

interface WrittenCloudInit {
  user?: string;
  password?: string;
  ssh_keys?: string | string[];
  nameserver?: string | string[];
  searchdomain?: string;
  upgrade?: boolean;
  ip_config?: string[] | Record<string, string>;
}

interface WrittenMachine {
  device_type?: DeviceType;
  name: string;
  template_node?: string;
  template_vmid?: number | string;
  template?: string;
  template_tag?: string;
  full_clone?: boolean;
  networks?: WrittenNetwork[] | null;
  cores?: number;
  memory?: number;
  storage?: string;
  pool_role?: string;
  cloud_init?: WrittenCloudInit;
  start?: boolean;
  start_order?: number;
  baseline_snapshot?: boolean | string;
  tags?: string[];
}

interface WrittenPlacement {
  strategy?: Strategy;
  node?: string;
  nodes?: string[];
  exclude?: string[];
  reserve?: { memory?: number | string; cores?: number | string };
  max_stands_per_node?: number;
  overcommit?: { memory?: number; cpu?: number };
  linked_growth?: string;
  spread?: string[][];
  together?: string[][];
  pin?: Record<string, string | string[]>;
  movable?: boolean;
}

/** What the schema lets through. */
export interface WrittenLab {
  machines: WrittenMachine[];
  placement?: WrittenPlacement;
  access?: { role?: string; pool?: string };
  vmid_range?: unknown;
  bridge_range?: unknown;
  expires?: string;
  passwords?: { length?: number; alphabet?: 'unambiguous' | 'digits' };
  checks?: WrittenCheck[];
}

function trunksOf(trunks: string | (string | number)[]): string[] {
  return typeof trunks === 'string' ? trunks.split(/[;,]/).map((part) => part.trim()) : trunks.map(String);
}

function toNetwork(written: WrittenNetwork): Network {
  const { name, kind, reserved, tag } = parseBridge(written.bridge, written.reserved ?? false);
  return compact({
    target: kind === 'real' ? { kind, bridge: name, reserved } : { kind, alias: name },
    tag: tag ?? written.tag,
    trunks: written.trunks === undefined ? undefined : trunksOf(written.trunks),
    model: written.model,
    mac: written.mac?.toUpperCase(),
    firewall: written.firewall,
    linkDown: written.link_down,
    mtu: written.mtu,
  });
}

function linesOf(value: string | string[]): string[] {
  return [value]
    .flat()
    .flatMap((entry) => entry.split('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function toCloudInit(written: WrittenCloudInit): CloudInit {
  return compact({
    user: written.user,
    password: written.password,
    sshKeys: written.ssh_keys === undefined ? undefined : linesOf(written.ssh_keys),
    nameserver: written.nameserver === undefined ? undefined : [written.nameserver].flat().join(' '),
    searchdomain: written.searchdomain,
    upgrade: written.upgrade,
    ipConfig:
      written.ip_config === undefined ? undefined : Object.fromEntries(Object.entries(written.ip_config)),
  });
}

function toTemplate(written: WrittenMachine): TemplateRef {
  const node = written.template_node === undefined ? {} : { node: written.template_node };
  if (written.template !== undefined) return { by: 'name', name: written.template, ...node };
  if (written.template_tag !== undefined)
    return { by: 'tag', tag: written.template_tag.toLowerCase(), ...node };
  return { by: 'vmid', vmid: Number(written.template_vmid), ...node };
}

/** `student` is not a name of PVE's: it is the role that deploy-stand makes. */
function roleOf(written: string | undefined): string | undefined {
  return written === STUDENT ? STUDENT_ROLE : written;
}

function snapshotOf(written: boolean | string | undefined): string | undefined {
  if (typeof written === 'string') return written;
  return written === true ? 'baseline' : undefined;
}

/** PVE stores tags in lower case, sorted; ours are added when the VM is configured. */
function tagsOf(tags: readonly string[], lab: string): string[] {
  const ours = [TAG, labTag(lab)];
  const lower = tags.map((tag) => tag.toLowerCase()).filter((tag) => !ours.includes(tag));
  return [...new Set(lower)].sort();
}

function toMachine(written: WrittenMachine, lab: string, line: number): Machine {
  return compact({
    name: written.name,
    deviceType: written.device_type ?? 'linux',
    template: toTemplate(written),
    fullClone: written.full_clone ?? false,
    networks: (written.networks ?? []).map(toNetwork),
    cores: written.cores,
    memory: written.memory,
    storage: written.storage,
    poolRole: roleOf(written.pool_role),
    cloudInit: written.cloud_init === undefined ? undefined : toCloudInit(written.cloud_init),
    start: written.start ?? false,
    startOrder: written.start_order,
    baselineSnapshot: snapshotOf(written.baseline_snapshot),
    tags: tagsOf(written.tags ?? [], lab),
    line,
  });
}

/** What the schema's pattern lets through: MiB or threads, or a percentage. */
export function amountOf(written: number | string | undefined): Amount | undefined {
  if (written === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*(%|MiB|GiB|M|G)?$/.exec(String(written));
  const value = Number(match?.[1]);
  if (match?.[2] === '%') return { kind: 'percent', value };
  return { kind: 'absolute', value: match?.[2]?.startsWith('G') ? value * 1024 : value };
}

function toPlacement(written: WrittenPlacement): Placement {
  const reserve: Reserve | undefined =
    written.reserve &&
    compact({ memory: amountOf(written.reserve.memory), cores: amountOf(written.reserve.cores) });
  return compact({
    strategy: written.strategy ?? defaultStrategy(written.node),
    node: written.node,
    nodes: written.nodes === undefined ? undefined : [...new Set(written.nodes)],
    exclude: [...new Set(written.exclude ?? [])],
    reserve,
    maxStandsPerNode: written.max_stands_per_node,
    overcommit: written.overcommit && compact(written.overcommit),
    linkedGrowth: written.linked_growth === undefined ? undefined : amountOf(written.linked_growth)?.value,
    spread: written.spread,
    together: written.together,
    pin:
      written.pin &&
      Object.fromEntries(Object.entries(written.pin).map(([user, nodes]) => [user, [nodes].flat()])),
    movable: written.movable,
  });
}

/** Role on the pool. */
export const DEFAULT_ROLE = 'PVEVMAdmin';
export const DEFAULT_PASSWORDS: PasswordPolicy = { length: 12, alphabet: 'unambiguous' };

export function normaliseLab(
  written: WrittenLab,
  {
    name,
    file,
    lineOf,
    outerBridges,
  }: {
    name: string;
    file: string;
    lineOf: (machine: number) => number;
    outerBridges?: OuterBridges | undefined;
  },
): Lab {
  return compact({
    name,
    machines: written.machines.map((machine, index) => toMachine(machine, name, lineOf(index))),
    placement: toPlacement(written.placement ?? {}),
    access: compact({ role: roleOf(written.access?.role) ?? DEFAULT_ROLE, pool: written.access?.pool }),
    vmidRange: vmidRangeOf(written.vmid_range) ?? { first: 10000, last: 99999 },
    bridgeRange: bridgeRangeOf(written.bridge_range) ?? outerBridges?.range ?? ALL_BRIDGES,
    expires: written.expires,
    checks: written.checks?.map(normaliseCheck),
    passwords: {
      length: written.passwords?.length ?? DEFAULT_PASSWORDS.length,
      alphabet: written.passwords?.alphabet ?? DEFAULT_PASSWORDS.alphabet,
    },
    file,
  });
}
