/** What a run is about before it has a plan: templates, pools, bridges and users as the input names them. Pure. */
import { realBridges } from '../config/lab/networks.ts';
import type { Lab, Machine, User } from '../config/types.ts';
import type { Inventory } from '../inventory/types.ts';
import type { CleanupSelection } from '../plan/cleanup/context.ts';
import { standNetworks } from '../plan/cluster/stand-networks.ts';
import { meantBy } from '../plan/cluster/templates.ts';
import type { UsersWork } from '../plan/users/context.ts';
import {
  marksOf,
  picksStand,
  selectedClaims,
  wholePools,
  type StandSelection,
} from '../plan/stands/selection.ts';
import type { Scope } from './command-rules.ts';
import type { Command, MachineKey } from './types.ts';
import { asksCpus, neededFiles } from '../pve-values/host-ties.ts';
import { sortedUnique } from '../order.ts';
import { allocatingStorages } from './guest-values.ts';

const NOTHING: Omit<Scope, 'command'> = {
  templates: [],
  hasUnknownTemplates: false,
  pools: [],
  vmids: new Map(),
  bridges: [],
  storages: [],
  snippets: [],
  asksCpus: false,
  machineKeys: new Set(),
  role: '',
  realms: [],
  groups: [],
  users: false,
  removesBridges: false,
  runs: false,
  locks: false,
};

function realmsOf(users: readonly User[]): string[] {
  return [...new Set(users.map(({ realm }) => realm))];
}

/** Empty unless every user is in a group: else rights on groups alone do not show them all. */
function groupsOf(users: readonly User[]): string[] {
  return users.every(({ groups }) => groups.length > 0)
    ? [...new Set(users.flatMap(({ groups }) => groups))]
    : [];
}

function templatesOf(
  lab: Lab,
  have: Inventory,
): { readonly templates: number[]; readonly hasUnknownTemplates: boolean } {
  const found = lab.machines.map(({ template }) =>
    template.by === 'vmid' ? [template.vmid] : meantBy(template, have).map(({ vmid }) => vmid),
  );
  return {
    templates: [...new Set(found.flat())],
    hasUnknownTemplates: found.some((vmids) => vmids.length === 0),
  };
}

const MACHINE_KEYS: Readonly<Record<MachineKey, keyof Machine>> = {
  cores: 'cores',
  memory: 'memory',
  cloud_init: 'cloudInit',
  pool_role: 'poolRole',
};

function machineKeysOf({ machines }: Lab): Set<MachineKey> {
  const keys = Object.entries(MACHINE_KEYS) as [MachineKey, keyof Machine][];
  return new Set(
    keys.flatMap(([key, field]) => (machines.some((machine) => machine[field] !== undefined) ? [key] : [])),
  );
}

function bridgesFor(lab: Lab, have: Inventory): string[] {
  return [...new Set(lab.machines.flatMap(realBridges))].filter((name) => !have.vnets.includes(name));
}

export function deployScope(lab: Lab, users: readonly User[], have: Inventory, locks: boolean): Scope {
  const { templates, hasUnknownTemplates } = templatesOf(lab, have);
  const named = have.templates.filter(({ vmid }) => templates.includes(vmid));
  const drives = named.flatMap(({ values }) => allocatingStorages(values));
  const files = named.flatMap(({ values }) => neededFiles(values));
  return {
    ...NOTHING,
    command: 'deploy',
    templates,
    hasUnknownTemplates,
    pools: users.map(({ pool }) => pool),
    bridges: bridgesFor(lab, have),
    storages: [...new Set([...drives, ...lab.machines.flatMap(({ storage }) => storage ?? [])])],
    snippets: sortedUnique(
      files.flatMap(({ content, storage }) => (content === 'snippets' ? [storage] : [])),
    ),
    asksCpus: named.some(({ values }) => asksCpus(values)),
    machineKeys: machineKeysOf(lab),
    role: lab.access.role,
    realms: realmsOf(users),
    groups: groupsOf(users),
    users: true,
    locks,
  };
}

/** Of every command on stands: which pools and VMs it is about. */
export function standsScope(
  command: Command,
  selection: StandSelection,
  have: Pick<Inventory, 'pools'>,
): Scope {
  const { users } = selection;
  const pools = users?.flatMap(({ pool }) => pool ?? []);
  const claimed = selectedClaims(selection, marksOf(have.pools)).flatMap(({ pool, claim }) =>
    claim.vmids.map((vmid) => [vmid, pool] as const),
  );
  return {
    ...NOTHING,
    command,
    // Of users that no file names it is the pools that tell which they have.
    pools: pools?.length === users?.length ? pools : undefined,
    vmids: new Map(claimed),
  };
}

export function cleanupScope(
  selection: CleanupSelection,
  have: Inventory,
  { keepUsers, locks }: { readonly keepUsers: boolean; readonly locks: boolean },
): Scope {
  const stands = selection.by === 'stands' ? selection : {};
  const isPicked = picksStand(stands);
  const removesBridges = standNetworks(have.networks).some(({ user, lab }) => isPicked(user, lab));
  return { ...standsScope('cleanup', stands, have), users: !keepUsers, removesBridges, locks };
}

/** `sees`: are accounts looked at? */
export function dayTwoScope(
  command: 'access' | 'extend',
  selection: StandSelection,
  have: Pick<Inventory, 'pools'>,
  { sees, locks }: { readonly sees: boolean; readonly locks: boolean },
): Scope {
  const whole = command === 'access' ? wholePools(selection, marksOf(have.pools)) : selection;
  const { vmids } = standsScope(command, whole, have);
  return { ...standsScope(command, selection, have), vmids, users: sees, locks };
}

export function usersScope(work: UsersWork, locks: boolean): Scope {
  const { users } = work;
  return {
    ...NOTHING,
    command: 'users',
    pools: undefined,
    role: work.by === 'sync' ? work.role : '',
    realms: realmsOf(users),
    groups: groupsOf(users),
    users: true,
    locks,
  };
}

export function templatesScope(locks: boolean): Scope {
  return { ...NOTHING, command: 'templates', pools: undefined, locks };
}

export function balanceScope(locks: boolean): Scope {
  return { ...NOTHING, command: 'balance', pools: undefined, locks };
}

export function bridgesScope(removesBridges: boolean, locks: boolean): Scope {
  return { ...NOTHING, command: 'bridges', removesBridges, locks };
}
