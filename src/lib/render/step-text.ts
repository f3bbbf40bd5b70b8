/** Says in a teacher's words what one step does. Knows nothing of groups and counts of stands. */
import { effectOf, type StepEffect } from '../plan/document/step-traits.ts';
import type { Nic } from '../pve-values/nics.ts';
import type { PlannedStand } from '../plan/document/plan.ts';
import type { Step, StepKind, StepOf } from '../plan/document/step.ts';
import { frozenSince, parsePoolComment } from '../marks/pool.ts';
import { parseReplicaPool } from '../marks/replica.ts';
import { formatVmids } from '../marks/vmid-ranges.ts';
import { endText } from '../pve-values/expire.ts';
import { spanText } from '../pve-values/moment.ts';
import { hasOptionOf, type OptionGroup } from '../pve-values/vm-options.ts';

/** `+` something new, `~` something changes, `-` something goes. */
export type Mark = '+' | '~' | '-';

const MARKS: Readonly<Record<StepEffect, Mark>> = {
  creates: '+',
  changes: '~',
  'takes-away': '-',
  removes: '-',
};

/** How objects are called in the text; an anonymous set makes equal stands read equal. */
export interface Names {
  vm(vmid: number): string;
  vms(vmids: readonly number[]): string;
  bridge(iface: string): string;
  user(userid: string, fullName: string): string;
  pool(pool: string): string;
  node(node: string): string;
  /** ` on pve2`, or nothing on the stand's own node. */
  where(node: string): string;
}

interface KindText<K extends StepKind> {
  /** For counts: singular and plural. */
  readonly count: readonly [string, string];
  readonly say: (step: StepOf<K>, names: Names) => string;
}

/** Storages that are called differently over there, each pair once. */
export function storagePairs(maps: readonly (Readonly<Record<string, string>> | undefined)[]): string {
  const pairs = maps.flatMap((map) => Object.entries(map ?? {}).map(([from, to]) => `${from} → ${to}`));
  return [...new Set(pairs)].join(', ');
}

/** Of an adopted bridge it may not be known which network it is. */
function withAlias(iface: string, alias = ''): string {
  return alias === '' ? iface : `${iface} (${alias})`;
}

/** Names of a stand's own objects; shared steps have no stand. */
export function namesOf(stand: PlannedStand | undefined): Names {
  const machines = new Map(stand?.vms.map((vm) => [vm.vmid, vm.name]));
  const aliases = new Map(stand?.bridges.map((bridge) => [bridge.iface, bridge.alias]));
  return {
    vm: (vmid) => [`VM ${vmid}`, machines.get(vmid) ?? ''].join(' ').trimEnd(),
    vms: (vmids) => `${vmids.length === 1 ? 'VM' : 'VMs'} ${formatVmids(vmids)}`,
    bridge: (iface) => withAlias(iface, aliases.get(iface)),
    user: (userid, fullName) => (fullName === '' ? userid : `${userid} (${fullName})`),
    pool: (pool) => pool,
    node: (node) => node,
    where: (node) => (node === stand?.node ? '' : ` on ${node}`),
  };
}

/** Names by role in the lab instead of by number, for telling whether two stands get the same. */
export function anonymousNames(stand: PlannedStand): Names {
  const machines = new Map(stand.vms.map((vm) => [vm.vmid, vm.name]));
  const aliases = new Map(stand.bridges.map((bridge) => [bridge.iface, bridge.alias]));
  return {
    vm: (vmid) => `VM ${machines.get(vmid) ?? vmid}`,
    vms: (vmids) => vmids.map((vmid) => machines.get(vmid) ?? vmid).join(),
    bridge: (iface) => aliases.get(iface) ?? iface,
    user: () => 'user',
    pool: () => 'pool',
    node: () => 'node',
    where: (node) => (node === stand.node ? '' : ' on another node'),
  };
}

function sayNic(nic: Nic, names: Names): string {
  return [
    `net${nic.index} ${names.bridge(nic.bridge)}`,
    ...(nic.tag === undefined ? [] : [`tag ${nic.tag}`]),
    ...(nic.trunks === undefined ? [] : [`trunks ${nic.trunks.join(';')}`]),
    ...(nic.linkDown === true ? ['link down'] : []),
  ].join(' ');
}

/** In the order in which they are said; undefined: nothing is said of it. */
const SAY_OPTIONS: Readonly<Record<OptionGroup, (step: StepOf<'vm.configure'>) => string | undefined>> = {
  onboot: () => undefined,
  protection: () => undefined,
  cores: ({ options: { cores } }) => cores && `${cores} ${cores === '1' ? 'core' : 'cores'}`,
  memory: ({ options: { memory } }) => memory && `${memory} MiB`,
  'cloud-init': ({ options, secret }) =>
    secret !== undefined || hasOptionOf('cloud-init', options) ? 'cloud-init' : undefined,
};

function sayOptions(step: StepOf<'vm.configure'>): string[] {
  const { remove } = step;
  return [
    ...Object.values(SAY_OPTIONS).flatMap((say) => say(step) ?? []),
    ...(remove.length === 0 ? [] : [`without ${remove.join(', ')}`]),
  ];
}

function sayConfigure(step: StepOf<'vm.configure'>, names: Names): string {
  const { nics } = step;
  const list = nics.map((nic) => sayNic(nic, names)).join(', ');
  const network =
    nics.length === 0 ? 'no NICs' : `${nics.length} ${nics.length === 1 ? 'NIC' : 'NICs'} (${list})`;
  return `${names.vm(step.vmid)}: ${[network, ...sayOptions(step)].join(', ')}`;
}

function sayClone(step: StepOf<'vm.clone'>, names: Names): string {
  const from = `template ${step.templateVmid} (${names.node(step.node)})`;
  const onto = step.target === step.node ? '' : ` onto ${names.node(step.target)}`;
  const storage = step.storage === undefined ? '' : `, on storage ${step.storage}`;
  return `${names.vm(step.vmid)}: ${step.full ? 'full' : 'linked'} clone of ${from}${onto}${storage}`;
}

function sayAccess(step: StepOf<'acl.grant' | 'acl.revoke'>, names: Names): string {
  const [, area, key = ''] = /^\/([^/]+)\/(.*)$/.exec(step.path) ?? [];
  const target =
    area === 'pool' ? `pool ${names.pool(key)}` : area === 'vms' ? names.vm(Number(key)) : step.path;
  return `access of ${names.user(step.userid, '')} to ${target} as ${step.role}`;
}

function sayUser(step: StepOf<'user.create'>, names: Names): string {
  const fullName = [step.firstName, step.lastName].filter((part) => part !== undefined).join(' ');
  return [
    `user ${names.user(step.userid, fullName)}`,
    step.password === 'generate' ? 'with a new password' : 'whose password the directory keeps',
    ...(step.groups.length === 0 ? [] : [`in ${step.groups.join(', ')}`]),
  ].join(' ');
}

function sayUserChange(step: StepOf<'user.update'>, names: Names): string {
  const { email, firstName, lastName, groups, expire, enable, newComment } = step;
  const unmarked = newComment === undefined ? [] : ['no longer marked as disabled'];
  const changes = [
    ...(enable === undefined ? unmarked : [enable ? 'enable' : 'disable']),
    ...(email === undefined ? [] : [`mail ${email}`]),
    ...(firstName === undefined ? [] : [`first name ${firstName}`]),
    ...(lastName === undefined ? [] : [`last name ${lastName}`]),
    ...(groups === undefined ? [] : [`groups ${groups.join(', ')}`]),
    ...(expire === undefined ? [] : [expire === 0 ? 'never expires' : `expires ${endText(expire)}`]),
  ];
  return `user ${names.user(step.userid, '')}: ${changes.join(', ')}`;
}

function sayReload({ node, bridges, gone = [] }: StepOf<'network.reload'>, names: Names): string {
  const count = (list: readonly string[]) => countOf(list.length, 'bridge', 'bridges');
  return [
    `network of ${names.node(node)}: reload`,
    ...(bridges.length === 0 && gone.length > 0 ? [] : [`brings up ${count(bridges)}`]),
    ...(gone.length === 0 ? [] : [`takes away ${count(gone)}`]),
  ].join(', ');
}

/** Those that are about to be cloned: their seals are not drawn yet. */
function newlyReserved(comment: string): number[] {
  return [
    ...parsePoolComment(comment).claims.flatMap(({ machines }) => machines),
    ...parseReplicaPool(comment).claims,
  ]
    .filter(({ seals }) => seals.includes(''))
    .map(({ vmid }) => vmid);
}

function sayClaim({ comment, takeOver, leave = [] }: StepOf<'pool.update'>, names: Names): string {
  const claimed = newlyReserved(comment);
  const frozen = frozenSince(parsePoolComment(comment));
  const parts = [
    ...(takeOver && takeOver.vmids.length > 0 ? [`takes over ${names.vms(takeOver.vmids)}`] : []),
    ...(leave.length > 0 ? [`takes out ${names.vms(leave)}`] : []),
    ...(claimed.length > 0 ? [`claims ${names.vms(claimed)}`] : []),
    ...(frozen === undefined ? [] : [`frozen since ${frozen}`]),
  ];
  return parts.length === 0 ? 'updates the claim' : parts.join(', ');
}

function sayBridgeChange({ vlanAware, newComment }: StepOf<'bridge.update'>): string {
  return [
    ...(newComment === undefined ? [] : ['our mark into its comment']),
    ...(vlanAware ? ['becomes VLAN-aware'] : []),
  ].join(', ');
}

function sayRelease(step: StepOf<'pool.release'>, names: Names): string {
  const ids = step.removeVmids;
  return `pool ${names.pool(step.pool)}: ${ids.length === 0 ? 'gives up the claim' : `gives up the claim to ${names.vms(ids)}`}`;
}

/** In the order of the work. A new kind without words does not compile. */
const KINDS: { readonly [K in StepKind]: KindText<K> } = {
  'pool.create': {
    count: ['pool', 'pools'],
    say: (step, names) => `pool ${names.pool(step.pool)}`,
  },
  'pool.update': {
    count: ['claim', 'claims'],
    say: (step, names) => `pool ${names.pool(step.pool)}: ${sayClaim(step, names)}`,
  },
  'bridge.create': {
    count: ['bridge', 'bridges'],
    say: (step, names) =>
      `bridge ${names.bridge(step.bridge)}${names.where(step.node)}${step.vlanAware ? ', VLAN-aware' : ''}`,
  },
  'bridge.update': {
    count: ['bridge change', 'bridge changes'],
    say: (step, names) =>
      `bridge ${names.bridge(step.bridge)}${names.where(step.node)}: ${sayBridgeChange(step)}`,
  },
  'acl.revoke': { count: ['access removal', 'access removals'], say: sayAccess },
  'vm.stop': {
    count: ['power-off', 'power-offs'],
    say: (step, names) => `${names.vm(step.vmid)}: power off`,
  },
  'vm.unprotect': {
    count: ['protection lifted', 'protections lifted'],
    say: (step, names) => `${names.vm(step.vmid)}: lift the protection`,
  },
  'ha.remove': {
    count: ['HA removal', 'HA removals'],
    say: (step, names) => `${names.vm(step.vmid)}: take out of HA`,
  },
  'vm.delete': {
    count: ['VM removal', 'VM removals'],
    say: (step, names) => `${names.vm(step.vmid)} with its disks${names.where(step.node)}`,
  },
  'bridge.delete': {
    count: ['bridge removal', 'bridge removals'],
    say: (step, names) => `bridge ${names.bridge(step.bridge)}${names.where(step.node)}`,
  },
  'vm.migrate': {
    count: ['migration', 'migrations'],
    say: (step, names) =>
      `${names.vm(step.vmid)}: ${step.online ? 'live ' : step.container?.restart === true ? 'by a restart ' : ''}from ${step.node} to ${step.target}${step.withLocalDisks ? ', with its local disks' : ''}${step.storageMap === undefined ? '' : `, storage ${storagePairs([step.storageMap])}`}${step.awaited ? ', by HA of its own accord' : step.ha ? ', by HA' : ''}`,
  },
  'network.reload': { count: ['network reload', 'network reloads'], say: sayReload },
  'user.create': { count: ['user', 'users'], say: sayUser },
  'template.clone': {
    count: ['template copy', 'template copies'],
    say: (step, names) =>
      `replica ${step.vmid} for ${names.node(step.home)}: full copy of template ${step.templateVmid} (${names.node(step.node)})${step.storage === undefined ? '' : `, on storage ${step.storage}`}`,
  },
  'template.configure': {
    count: ['template configuration', 'template configurations'],
    say: (step) => {
      const drives = Object.keys(step.options).filter((key) => step.options[key] === 'none,media=cdrom');
      return `replica ${step.vmid}: no start at boot, no protection${drives.length === 0 ? '' : `, no image in ${drives.join(', ')}`}`;
    },
  },
  'template.migrate': {
    count: ['template move', 'template moves'],
    say: (step, names) =>
      `replica ${step.vmid}: move from ${names.node(step.node)} to ${names.node(step.home)}${step.targetStorage === undefined ? '' : `, storage ${step.targetStorage}`}`,
  },
  'template.convert': {
    count: ['template conversion', 'template conversions'],
    say: (step) => `replica ${step.vmid}: convert to a template`,
  },
  'template.join': {
    count: ['template copy joined', 'template copies joined'],
    say: (step) => `replica ${step.vmid}: joins the copies of templates`,
  },
  'vm.clone': { count: ['clone', 'clones'], say: sayClone },
  'vm.seal': {
    count: ['seal', 'seals'],
    say: (step, names) => `${names.vm(step.vmid)}: a new seal into its notes`,
  },
  'vm.mark': {
    count: ['VM taken over', 'VMs taken over'],
    say: (step, names) => `${names.vm(step.vmid)}: our mark into its notes`,
  },
  'vm.configure': { count: ['configuration', 'configurations'], say: sayConfigure },
  'vm.snapshot': {
    count: ['snapshot', 'snapshots'],
    say: (step, names) =>
      `snapshot ${step.snapshot} of ${names.vm(step.vmid)}${step.withMemory === true ? ', with its memory' : ''}`,
  },
  'vm.snapshot.delete': {
    count: ['snapshot removal', 'snapshot removals'],
    say: (step, names) => `snapshot ${step.snapshot} of ${names.vm(step.vmid)}`,
  },
  'vm.rollback': {
    count: ['rollback', 'rollbacks'],
    say: (step, names) =>
      `${names.vm(step.vmid)}: back to snapshot ${step.snapshot}${step.power === 'start' ? ', then start' : ''}`,
  },
  'role.create': {
    count: ['role', 'roles'],
    say: (step) => `role ${step.role}, for students`,
  },
  'pool.join': {
    count: ['stand joined', 'stands joined'],
    say: ({ pool, machines }, names) =>
      `pool ${names.pool(pool)}: ${names.vms(machines.map(({ vmid }) => vmid))} ${machines.length === 1 ? 'joins' : 'join'}`,
  },
  'acl.grant': { count: ['access right', 'access rights'], say: sayAccess },
  'vm.start': {
    count: ['start', 'starts'],
    say: (step, names) => `${names.vm(step.vmid)}: start`,
  },
  'vm.resume': {
    count: ['resumption', 'resumptions'],
    say: (step, names) => `${names.vm(step.vmid)}: resume${step.fromDisk ? ' from disk' : ''}`,
  },
  'vm.shutdown': {
    count: ['shutdown', 'shutdowns'],
    say: ({ vmid, timeoutSeconds, force }, names) =>
      `${names.vm(vmid)}: shut down within ${spanText(timeoutSeconds)}${force ? ', else power off' : ''}`,
  },
  'vm.reboot': {
    count: ['reboot', 'reboots'],
    say: (step, names) => `${names.vm(step.vmid)}: reboot`,
  },
  'vm.suspend': {
    count: ['suspension', 'suspensions'],
    say: ({ vmid, storage }, names) =>
      `${names.vm(vmid)}: ${storage === undefined ? 'pause' : `suspend, its memory to ${storage}`}`,
  },
  'pool.leave': {
    count: ['claim shortened', 'claims shortened'],
    say: ({ pool, machines }, names) =>
      `pool ${names.pool(pool)}: no claim on ${names.vms(machines.map(({ vmid }) => vmid))} any more`,
  },
  'pool.release': { count: ['claim given up', 'claims given up'], say: sayRelease },
  'pool.delete': {
    count: ['pool removal', 'pool removals'],
    say: (step, names) => `pool ${names.pool(step.pool)}`,
  },
  'user.delete': {
    count: ['user removal', 'user removals'],
    say: (step, names) => `user ${names.user(step.userid, '')}`,
  },
  'user.update': { count: ['user change', 'user changes'], say: sayUserChange },
  'user.password': {
    count: ['new password', 'new passwords'],
    say: (step, names) => `user ${names.user(step.userid, '')}: new password`,
  },
  'user.recreate': {
    count: ['user made anew', 'users made anew'],
    say: (step, names) =>
      `user ${names.user(step.userid, '')}: removed and created again with a new password and ${countOf(step.acls.length, 'right', 'rights')}`,
  },
};

function sayStep<K extends StepKind>(step: StepOf<K>, names: Names): string {
  return KINDS[step.kind].say(step, names);
}

export function describeStep(step: Step, names: Names): { readonly mark: Mark; readonly text: string } {
  return { mark: MARKS[effectOf(step)], text: sayStep(step, names) };
}

/** `1 stand`, `2 stands`. */
export function countOf(count: number, singular: string, plural: string): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

/** `12 steps: 3 users, 3 pools, …` in the order in which work is done. */
export function countSteps(steps: readonly Step[]): string {
  const counts = new Map<StepKind, number>();
  for (const { kind } of steps) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const order = Object.keys(KINDS);
  const parts = [...counts]
    .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    .map(([kind, number]) => countOf(number, ...KINDS[kind].count));
  const total = countOf(steps.length, 'step', 'steps');
  return parts.length === 0 ? total : `${total}: ${parts.join(', ')}`;
}
