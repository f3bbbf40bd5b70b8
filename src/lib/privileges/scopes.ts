/** What a run is about before it has a plan: templates, pools, bridges and users as the input names them. Pure. */
import type { Lab, User } from '../config/types.ts';
import type { Inventory } from '../inventory/types.ts';
import type { CleanupSelection } from '../plan/cleanup/context.ts';
import { parseBridgeMark } from '../marks/bridge.ts';
import { parsePoolComment } from '../marks/pool.ts';
import type { UsersWork } from '../plan/users/context.ts';
import type { Scope } from './command-rules.ts';
import { allocatingStorages } from './guest-values.ts';

const NOTHING: Omit<Scope, 'command'> = {
  templates: [],
  hasUnknownTemplates: false,
  pools: [],
  vmids: new Map(),
  bridges: [],
  storages: [],
  role: '',
  realms: [],
  groups: [],
  users: false,
  removesBridges: false,
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
    template.by === 'vmid'
      ? [template.vmid]
      : have.guests
          .filter((guest) => guest.template)
          .filter((guest) =>
            template.by === 'name' ? guest.name === template.name : guest.tags?.includes(template.tag),
          )
          .map(({ vmid }) => vmid),
  );
  return {
    templates: [...new Set(found.flat())],
    hasUnknownTemplates: found.some((vmids) => vmids.length === 0),
  };
}

function realBridges(lab: Lab, have: Inventory): string[] {
  const names = lab.machines.flatMap(({ networks }) =>
    networks.flatMap(({ target }) => (target.kind === 'real' ? [target.bridge] : [])),
  );
  return [...new Set(names)].filter((name) => !have.vnets.includes(name));
}

export function deployScope(lab: Lab, users: readonly User[], have: Inventory, locks: boolean): Scope {
  const { templates, hasUnknownTemplates } = templatesOf(lab, have);
  const drives = have.templates
    .filter(({ vmid }) => templates.includes(vmid))
    .flatMap(({ values }) => allocatingStorages(values));
  return {
    ...NOTHING,
    command: 'deploy',
    templates,
    hasUnknownTemplates,
    pools: users.map(({ pool }) => pool),
    bridges: realBridges(lab, have),
    storages: [...new Set([...drives, ...lab.machines.flatMap(({ storage }) => storage ?? [])])],
    role: lab.access.role,
    realms: realmsOf(users),
    groups: groupsOf(users),
    users: true,
    locks,
  };
}

function selector(selection: CleanupSelection): (user: string, lab: string) => boolean {
  if (selection.by === 'lab') return (_, lab) => lab === selection.lab;
  if (selection.by !== 'class' && selection.by !== 'user') return () => true;
  const users = new Set(
    selection.by === 'class' ? selection.users.map(({ userid }) => userid) : selection.users,
  );
  return (user, lab) => users.has(user) && (selection.by === 'user' || lab === selection.lab);
}

export function cleanupScope(
  selection: CleanupSelection,
  have: Inventory,
  { keepUsers, locks }: { readonly keepUsers: boolean; readonly locks: boolean },
): Scope {
  const isSelected = selector(selection);
  const claimed = have.pools.flatMap(({ pool, comment }) => {
    const { user = '', claims } = parsePoolComment(comment);
    const own = claims.filter(({ lab }) => isSelected(user, lab)).flatMap(({ vmids }) => vmids);
    return own.map((vmid) => [vmid, pool] as const);
  });
  const removesBridges = have.networks.some(({ bridges }) =>
    bridges.some(({ iface, comments }) => {
      const mark = parseBridgeMark(iface, comments);
      return mark?.kind === 'stand' && isSelected(mark.user, mark.lab);
    }),
  );
  return {
    ...NOTHING,
    command: 'cleanup',
    pools: selection.by === 'class' ? selection.users.map(({ pool }) => pool) : undefined,
    vmids: new Map(claimed),
    users: !keepUsers,
    removesBridges,
    locks,
  };
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
