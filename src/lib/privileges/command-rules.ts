/** What each command has to see before it plans, and which kinds of steps it may plan. Holds no policy. */
import { NETWORK_STEPS } from '../plan/document/network-steps.ts';
import type { StepKind } from '../plan/document/step.ts';
import { BALANCE_LOCK_PATH, LOCK_PATH } from './step-rules.ts';
import type { Command, MachineKey, RuleText } from './types.ts';

/** What one run of a command is about, as far as it is known before the plan. */
export interface Scope {
  readonly command: Command;
  /** VMIDs of templates. */
  readonly templates: readonly number[];
  /** Templates that are only known by a name nobody was found under. */
  readonly hasUnknownTemplates: boolean;
  /** Undefined: all that are marked as ours. */
  readonly pools: readonly string[] | undefined;
  /** VMIDs that our claims name, with the pool that claims them. */
  readonly vmids: ReadonlyMap<number, string>;
  /** Bridges that are named as real ones. */
  readonly bridges: readonly string[];
  readonly storages: readonly string[];
  /** Storages of snippets that templates name. */
  readonly snippets: readonly string[];
  /** Does a template have one of PVE's own CPU types or `amd-sev`, which not every host can give? */
  readonly asksCpus: boolean;
  /** What machines of the lab have. */
  readonly machineKeys: ReadonlySet<MachineKey>;
  /** Role that students get; empty: the default. */
  readonly role: string;
  /** Of the users; empty: any. */
  readonly realms: readonly string[];
  /** Groups of users of whom each is in one; else none. */
  readonly groups: readonly string[];
  /** Are users looked at? */
  readonly users: boolean;
  /** May bridges of stands go? */
  readonly removesBridges: boolean;
  /** Are guest agents told to run something? */
  readonly runs: boolean;
  /** Is the planning lock going to be taken? */
  readonly locks: boolean;
}

/** Something that has to be seen, or held, before any step. */
export interface ScopeRule extends RuleText {
  /** What the placeholder stands for (an empty text for a path without one); empty: does not apply. */
  readonly at: (scope: Scope) => readonly string[];
  /** Or on every one of these paths instead. */
  readonly orOn?: (scope: Scope) => readonly string[];
}

const when = (applies: boolean): readonly string[] => (applies ? [''] : []);

const seeUsers: ScopeRule = {
  path: '/access/groups',
  anyOf: ['User.Modify', 'Sys.Audit'],
  why: 'to see which users exist, and which of them are ours',
  at: ({ users }) => when(users),
  orOn: ({ groups }) => groups.map((group) => `/access/groups/${group}`),
};

const seePool: ScopeRule = {
  path: '/pool/{pool}',
  anyOf: ['Pool.Audit'],
  why: 'to see the pool and whose it is',
  at: ({ pools = [] }) => pools,
};

const seePools: ScopeRule = {
  path: '/pool',
  anyOf: ['Pool.Audit'],
  why: 'to find all pools of ours',
  reaches: true,
  at: ({ pools }) => when(pools === undefined),
};

const seeStandVm: ScopeRule = {
  path: '/vms/{vmid}',
  anyOf: ['VM.Audit'],
  why: 'to see and read the VMs of the stand',
  at: ({ vmids }) => [...vmids.keys()].map(String),
};

/** PVE leaves rights that the caller may not see out of its list, and whoever has one could have written the mark. */
const seeAcls: ScopeRule = {
  path: '/access',
  anyOf: ['Sys.Audit'],
  instead: { path: '/pool', anyOf: ['Pool.Allocate', 'Permissions.Modify'] },
  why: 'to see who else may write a pool: where that is not to be seen, its marks count for nothing',
  at: () => [''],
};

const seeBridges: ScopeRule = {
  path: '/sdn/zones/localnetwork',
  anyOf: ['SDN.Use', 'SDN.Audit'],
  why: 'to see all bridges',
  since: 8,
  reaches: true,
  at: () => [''],
};

/** PVE lists no guest that the caller may not audit, so an unseen one might use the bridge. */
const seeGuests: ScopeRule = {
  path: '/vms',
  anyOf: ['VM.Audit'],
  why: 'to be sure that no guest uses a bridge that goes',
  reaches: true,
  when: 'bridges of stands may go',
  at: ({ removesBridges }) => when(removesBridges),
};

const seeTasks: ScopeRule = {
  path: '/nodes',
  anyOf: ['Sys.Audit'],
  why: "to see what other accounts' tasks are doing; without it only the caller's own count",
  reaches: true,
  advice: true,
  at: () => [''],
};

export const LOCK_RULES: readonly ScopeRule[] = [
  {
    path: LOCK_PATH,
    anyOf: ['Pool.Allocate'],
    why: 'runs take turns by creating this pool',
    at: ({ locks }) => when(locks),
  },
  { path: LOCK_PATH, anyOf: ['Pool.Audit'], why: 'to see who has it', at: ({ locks }) => when(locks) },
];

/** PVE asks for no right on what a snapshot plugs a machine into, so it is looked at. */
const seeOldBridges: ScopeRule = {
  ...seeBridges,
  why: 'to go back to snapshots in which cards lead elsewhere than now',
  when: 'going back',
  advice: true,
};

/** Whoever acts on stands that are there. */
const seeStands: readonly ScopeRule[] = [
  { ...seePool, when: 'selected by class' },
  { ...seePools, when: 'selected otherwise' },
  {
    path: '/vms/{vmid}',
    anyOf: ['VM.Audit'],
    why: 'to see and read the VMs of the stand',
    at: ({ vmids }) => [...vmids.keys()].map(String),
  },
  seeTasks,
];

const each = (kinds: readonly StepKind[], why: string): Partial<Record<StepKind, string>> =>
  Object.fromEntries(kinds.map((kind) => [kind, why]));

/** Of `reset`. */
const WITH_RECLONE = 'with --reclone';

const seeTemplates: readonly ScopeRule[] = [
  {
    path: '/vms/{template}',
    anyOf: ['VM.Audit'],
    why: 'to find and read the template',
    at: ({ templates }) => templates.map(String),
  },
  {
    path: '/vms',
    anyOf: ['VM.Audit'],
    why: 'to find the template by its name',
    reaches: true,
    when: 'no template of that name is in sight',
    at: ({ hasUnknownTemplates }) => when(hasUnknownTemplates),
  },
];

const READING: Readonly<Record<Command, readonly ScopeRule[]>> = {
  deploy: [
    ...seeTemplates,
    seePool,
    {
      path: '/storage/{storage}',
      anyOf: ['Datastore.AllocateSpace', 'Datastore.Audit'],
      why: 'to see the storage',
      at: ({ storages }) => storages,
    },
    {
      path: '/storage/{storage}',
      anyOf: ['Datastore.Allocate'],
      why: 'to see which nodes have the snippets that a template names (hookscript, cicustom); else its machines may go where they cannot start',
      when: 'a template names snippets',
      advice: true,
      at: ({ snippets }) => snippets,
    },
    {
      path: '/nodes',
      anyOf: ['Sys.Audit'],
      why: 'to see which nodes can give the CPU type or `amd-sev` of a template; else its machines may go where they cannot start',
      when: "a template has one of PVE's own CPU types (x86-64-v2, …) or `amd-sev`",
      reaches: true,
      advice: true,
      at: ({ asksCpus }) => when(asksCpus),
    },
    {
      path: '/sdn/zones/localnetwork/{bridge}',
      anyOf: ['SDN.Use', 'SDN.Audit'],
      why: 'to see the bridge',
      since: 8,
      at: ({ bridges }) => bridges,
    },
    seeUsers,
    {
      path: '/',
      anyOf: ['Sys.Audit'],
      why: 'to know of nodes in maintenance before PVE 8.3, which says so by itself',
      advice: true,
      at: () => [''],
    },
  ],
  cleanup: [
    { ...seePool, when: 'selected by class' },
    { ...seePools, when: 'selected otherwise' },
    seeStandVm,
    seeBridges,
    seeGuests,
    seeUsers,
    seeTasks,
  ],
  power: [
    { ...seePool, when: 'selected by class' },
    { ...seePools, when: 'selected otherwise' },
    {
      path: '/vms/{vmid}',
      anyOf: ['VM.Audit'],
      why: 'to see the machines, and whether they run',
      at: ({ vmids }) => [...vmids.keys()].map(String),
    },
    seeAcls,
    {
      path: '/nodes',
      anyOf: ['Sys.Audit'],
      why: 'to see whether machines fit into the memory of their nodes, and to start more at once where nodes bear it',
      reaches: true,
      advice: true,
      at: () => [''],
    },
  ],
  users: [seePools, seeUsers],
  status: [
    { ...seePool, when: 'selected by class' },
    { ...seePools, when: 'selected otherwise' },
    {
      path: '/vms/{vmid}',
      anyOf: ['VM.Audit'],
      why: 'to see the machines',
      at: ({ vmids }) => [...vmids.keys()].map(String),
    },
    {
      path: '/vms/{vmid}',
      anyOf: ['VM.Monitor', 'VM.GuestAgent.Audit', 'VM.GuestAgent.Unrestricted'],
      why: 'to ask the guest agent for addresses (PVE 9: the latter two)',
      when: '`--ips`',
      advice: true,
      at: ({ vmids }) => [...vmids.keys()].map(String),
    },
    { ...seeAcls, why: 'to see who has access, and whose marks count' },
    { ...seeUsers, advice: true },
    { ...seeBridges, advice: true, why: 'to tell bridges that are missing or down' },
    { ...seeTasks, why: 'to tell locks without a task, and failed tasks of other accounts' },
    {
      path: '/storage',
      anyOf: ['Datastore.AllocateSpace', 'Datastore.Audit'],
      why: 'to tell storages that are full',
      reaches: true,
      advice: true,
      at: () => [''],
    },
  ],
  check: [
    { ...seePool, when: 'selected by class' },
    { ...seePools, when: 'selected otherwise' },
    seeStandVm,
    {
      path: '/vms/{vmid}',
      anyOf: ['VM.Monitor', 'VM.GuestAgent.Unrestricted'],
      why: 'to run commands in the machine by its guest agent (PVE 9: the latter)',
      when: 'a check has `run` or `script`',
      at: ({ runs, vmids }) => (runs ? [...vmids.keys()].map(String) : []),
    },
    { ...seeAcls, why: 'to see whose marks count' },
    {
      ...seeBridges,
      advice: true,
      why: 'to know the bridges of a stand; a card in one that is not seen counts as elsewhere',
    },
  ],
  access: [
    { ...seePool, when: 'selected by class' },
    { ...seePools, when: 'selected otherwise' },
    seeStandVm,
    { ...seeAcls, advice: true },
    { ...seeUsers, when: 'thaw' },
    seeTasks,
  ],
  extend: [
    { ...seePool, when: 'selected by class' },
    { ...seePools, when: 'selected otherwise' },
    seeUsers,
    seeTasks,
  ],
  snapshot: [...seeStands, seeOldBridges],
  reset: [
    ...seeStands,
    ...seeTemplates.map((rule): ScopeRule => ({ ...rule, when: WITH_RECLONE })),
    { ...seeBridges, when: WITH_RECLONE, at: ({ templates }) => when(templates.length > 0) },
    seeOldBridges,
  ],
  bridges: [seeBridges, seeGuests, { ...seeAcls, advice: true }, seeTasks],
  templates: [
    { path: '/vms', anyOf: ['VM.Audit'], why: 'to find templates', reaches: true, at: () => [''] },
    seePools,
    {
      path: '/storage',
      anyOf: ['Datastore.AllocateSpace', 'Datastore.Audit'],
      why: 'to see storages',
      reaches: true,
      at: () => [''],
    },
    { ...seeTasks, why: `${seeTasks.why}; and which CPU types and \`amd-sev\` nodes can give` },
  ],
  balance: [
    {
      path: BALANCE_LOCK_PATH,
      anyOf: ['Pool.Allocate'],
      why: 'balancers take turns by creating this pool',
      at: ({ locks }) => when(locks),
    },
    {
      path: '/vms',
      anyOf: ['VM.Audit'],
      why: 'to see the load of every guest',
      reaches: true,
      at: () => [''],
    },
    {
      path: '/nodes',
      anyOf: ['Sys.Audit'],
      why: 'to see the load of every node',
      reaches: true,
      at: () => [''],
    },
    { path: '/', anyOf: ['Sys.Audit'], why: 'to see the state of HA', at: () => [''] },
    seePools,
    seeAcls,
    seeBridges,
    {
      path: '/storage',
      anyOf: ['Datastore.AllocateSpace', 'Datastore.Audit'],
      why: 'to see which storages a node has',
      reaches: true,
      at: () => [''],
    },
  ],
};

/** Of the template steps of a deploy. */
const COPIES = 'a node gets its own copy of a template';

/** Of `reset`. */
const RECLONE = 'machines are cloned anew (--reclone)';
const LOST_BRIDGE = 'machines are cloned anew (--reclone), and a bridge of theirs is gone';
/** Of what takes machines away in a deploy. */
const NEW_PASSWORDS = '`--reset-passwords` gives users who are there a new one';
const PRUNES = '`--prune` removes machines that the lab no longer has';

/** Of the role that students get. */
const NO_ROLE = 'the lab says `role: student`, and the cluster has no such role yet';

export function readingRules(command: Command): readonly ScopeRule[] {
  return READING[command];
}

/** Kinds of steps that a command may plan; those that only some of its runs need, with the reason. */
export const COMMAND_STEPS: Readonly<
  Record<
    Command,
    { readonly steps: readonly StepKind[]; readonly sometimes?: Readonly<Partial<Record<StepKind, string>>> }
  >
> = {
  deploy: {
    steps: [
      'pool.create',
      'pool.update',
      'user.create',
      ...NETWORK_STEPS.create,
      ...NETWORK_STEPS.update,
      ...NETWORK_STEPS.apply,
      'template.clone',
      'template.configure',
      'template.migrate',
      'template.convert',
      'template.join',
      'vm.clone',
      'vm.mark',
      'vm.configure',
      'vm.snapshot',
      'user.password',
      'role.create',
      'pool.join',
      'acl.grant',
      'acl.revoke',
      'vm.start',
      'vm.stop',
      'ha.remove',
      'vm.unprotect',
      'vm.delete',
      'pool.leave',
    ],
    sometimes: {
      'template.clone': COPIES,
      'template.configure': COPIES,
      'template.migrate': COPIES,
      'template.convert': COPIES,
      'role.create': NO_ROLE,
      'template.join': COPIES,
      'user.password': NEW_PASSWORDS,
      'vm.stop': PRUNES,
      'ha.remove': PRUNES,
      'vm.unprotect': PRUNES,
      'vm.delete': PRUNES,
      'pool.leave': PRUNES,
    },
  },
  cleanup: {
    steps: [
      'acl.revoke',
      'vm.stop',
      'ha.remove',
      'vm.unprotect',
      'vm.delete',
      ...NETWORK_STEPS.remove,
      ...NETWORK_STEPS.apply,
      'pool.release',
      'pool.delete',
      'user.delete',
    ],
  },
  power: {
    steps: ['vm.start', 'vm.shutdown', 'vm.stop', 'vm.reboot', 'vm.suspend', 'vm.resume'],
  },
  users: {
    steps: [
      'user.create',
      'user.update',
      'user.password',
      'user.recreate',
      'user.delete',
      'pool.create',
      'pool.release',
      'pool.delete',
      'role.create',
      'acl.grant',
      'acl.revoke',
    ],
    sometimes: { 'role.create': NO_ROLE },
  },
  status: { steps: [] },
  check: { steps: [] },
  access: {
    steps: ['pool.update', 'acl.revoke', 'vm.snapshot', 'vm.stop', 'vm.suspend', 'acl.grant'],
    sometimes: {
      'vm.snapshot': 'freeze --snapshot',
      'vm.stop': 'freeze --stop',
      'vm.suspend': 'freeze --suspend',
    },
  },
  extend: { steps: ['user.update', 'pool.update'] },
  snapshot: { steps: ['vm.snapshot', 'vm.snapshot.delete', 'vm.rollback'] },
  reset: {
    steps: [
      'vm.rollback',
      'vm.stop',
      'vm.seal',
      'pool.update',
      'vm.delete',
      ...NETWORK_STEPS.create,
      ...NETWORK_STEPS.apply,
      'template.clone',
      'template.configure',
      'template.migrate',
      'template.convert',
      'template.join',
      'vm.clone',
      'vm.configure',
      'vm.snapshot',
      'pool.join',
      'acl.grant',
      'vm.start',
    ],
    sometimes: {
      'vm.stop': RECLONE,
      'vm.seal': RECLONE,
      'pool.update': RECLONE,
      'vm.delete': RECLONE,
      ...each([...NETWORK_STEPS.create, ...NETWORK_STEPS.apply], LOST_BRIDGE),
      'template.clone': COPIES,
      'template.configure': COPIES,
      'template.migrate': COPIES,
      'template.convert': COPIES,
      'template.join': COPIES,
      'vm.clone': RECLONE,
      'vm.configure': RECLONE,
      'vm.snapshot': RECLONE,
      'pool.join': RECLONE,
      'acl.grant': RECLONE,
      'vm.start': RECLONE,
    },
  },
  bridges: { steps: Object.values(NETWORK_STEPS).flat() },
  templates: {
    steps: [
      'pool.create',
      'pool.update',
      'template.clone',
      'template.configure',
      'template.migrate',
      'template.convert',
      'template.join',
      'vm.delete',
      'pool.release',
      'pool.delete',
    ],
  },
  balance: { steps: [...Object.values(NETWORK_STEPS).flat(), 'vm.migrate'] },
};
