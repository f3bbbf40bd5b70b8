/**
 * Which privileges each kind of step takes, on which path, and why: the one place that says so. Derived from the
 * `permissions` of the endpoints in PVE's API contract (7.4, 8.4, 9.2) and, where those only say `check` in prose, from
 * the source named. Holds no policy.
 */
import { isAtLeast } from '../pve-values/version.ts';
import { realmIn } from '../pve-values/userid.ts';
import { privilegesOf } from '../plan/stands/roles.ts';
import { BALANCE_LOCK_POOL, LOCK_POOL } from '../marks/lock.ts';
import { REPLICA_POOL } from '../marks/replica.ts';
import type { Nic } from '../pve-values/nics.ts';
import { hasOptionOf, type OptionGroup } from '../pve-values/vm-options.ts';
import { isDriveKey } from '../pve-values/volumes.ts';
import type { StepKind, StepOf } from '../plan/document/step.ts';
import type { Facts, Known, MachineKey, Rule, RuleText, StepRules } from './types.ts';

const HERE: readonly string[] = [''];
const OTHER_STORAGE = 'the node has no storage of the same name';

/** `localnetwork` is the zone of bridges; a vnet has a zone of its own, which is not known here. */
function bridgePaths(
  nics: readonly Pick<Nic, 'bridge' | 'tag' | 'trunks'>[],
  { vnets }: Known,
): readonly string[] {
  const paths = nics
    .filter(({ bridge }) => !vnets.includes(bridge))
    .flatMap(({ bridge, tag, trunks = [] }) => {
      const vlans = [
        ...(tag === undefined ? [] : [String(tag)]),
        ...trunks.map((vlan) => vlan.split('-')[0] ?? ''),
      ];
      return vlans.length === 0 ? [bridge] : vlans.map((vlan) => `${bridge}/${vlan}`);
    });
  return [...new Set(paths)];
}

type VmStep = StepOf<
  | 'vm.mark'
  | 'vm.seal'
  | 'vm.configure'
  | 'vm.snapshot'
  | 'vm.snapshot.delete'
  | 'vm.rollback'
  | 'vm.start'
  | 'vm.shutdown'
  | 'vm.reboot'
  | 'vm.suspend'
  | 'vm.resume'
  | 'vm.stop'
  | 'vm.unprotect'
  | 'vm.delete'
  | 'vm.migrate'
  | 'template.clone'
  | 'template.configure'
  | 'template.migrate'
  | 'template.convert'
  | 'template.join'
>;

/** On the VM that the step is about. */
function onVm(anyOf: readonly string[], why: string): Rule<VmStep['kind']> {
  return { path: '/vms/{vmid}', anyOf, why, at: ({ vmid }) => [String(vmid)] };
}

const seeVm = onVm(['VM.Audit'], 'to read its configuration and state');

type NodeStep = StepOf<'bridge.create' | 'bridge.update' | 'bridge.delete' | 'network.reload'>;

const changeNetwork: Rule<NodeStep['kind']> = {
  path: '/nodes/{node}',
  anyOf: ['Sys.Modify'],
  why: 'to change the network of the node (only Administrator and roles of your own have it)',
  at: ({ node }) => [node],
};

/** The list of interfaces leaves out bridges that the caller has no right to (API2/Network.pm). */
const seeBridge: Rule<'bridge.create' | 'bridge.update' | 'bridge.delete'> = {
  path: '/sdn/zones/localnetwork/{bridge}',
  anyOf: ['SDN.Use', 'SDN.Audit'],
  why: 'to see the bridge',
  since: 8,
  at: ({ bridge }) => [bridge],
};

type PoolStep = StepOf<
  'pool.create' | 'pool.update' | 'pool.join' | 'pool.leave' | 'pool.release' | 'pool.delete'
>;

const changePool: Rule<PoolStep['kind']> = {
  path: '/pool/{pool}',
  anyOf: ['Pool.Allocate'],
  why: 'to create, change and remove the pool',
  at: ({ pool }) => [pool],
};

const seePool: Rule<PoolStep['kind']> = {
  path: '/pool/{pool}',
  anyOf: ['Pool.Audit'],
  why: 'to see the pool and whose it is',
  at: ({ pool }) => [pool],
};

type UserStep = StepOf<'user.create' | 'user.delete' | 'user.password' | 'user.recreate'>;

const ownRealm: Rule<UserStep['kind']> = {
  path: '/access/realm/{realm}',
  anyOf: ['Realm.AllocateUser'],
  why: 'to create and remove users of the realm, and to set their passwords',
  at: ({ userid }) => [realmIn(userid)],
};

/** RPCEnvironment.pm, `userid-group`: on all groups, or on each of the user's. */
const changeUser: Rule<UserStep['kind'] | 'user.update'> = {
  path: '/access/groups',
  anyOf: ['User.Modify'],
  why: 'to change users; on single groups it is enough for users of these groups',
  at: () => HERE,
  orOn: (step) => ('groups' in step ? (step.groups ?? []).map((group) => `/access/groups/${group}`) : []),
};

type AclStep = StepOf<'acl.grant' | 'acl.revoke'>;

function ifMachineHas(key: MachineKey): Pick<RuleText, 'when' | 'forKey'> {
  return { when: `the machine has \`${key}\``, forKey: key };
}

function onPath(prefix: string): (step: AclStep) => readonly string[] {
  return ({ path }) => (path.startsWith(prefix) ? [path.slice(prefix.length)] : []);
}

const UNKNOWN: readonly string[] = [];

const rolePrivileges = ({ role }: { readonly role: string }, { have }: Facts): readonly string[] =>
  privilegesOf(role, have) ?? UNKNOWN;

/** API2/ACL.pm: 7.4 does not compare the role with the caller's own privileges. */
function handOut(path: string, at: (step: AclStep) => readonly string[]): Rule<AclStep['kind']> {
  return {
    path,
    anyOf: ['Permissions.Modify'],
    each: 'every privilege of the role',
    why: 'to give away or take back a role, one has to have all of it oneself (when giving, with propagation)',
    since: 8,
    at,
    eachOf: rolePrivileges,
    reachesIf: (step) => step.kind === 'acl.grant' && step.propagate,
  };
}

const changeAcl: readonly Rule<AclStep['kind']>[] = [
  {
    path: '/pool/{pool}',
    anyOf: ['Pool.Allocate', 'Permissions.Modify'],
    why: 'to give access to the pool, and to take it back',
    at: onPath('/pool/'),
  },
  handOut('/pool/{pool}', onPath('/pool/')),
  {
    path: '/vms/{vmid}',
    anyOf: ['VM.Allocate', 'Permissions.Modify'],
    why: 'to give access to the VM, and to take it back',
    ...ifMachineHas('pool_role'),
    at: onPath('/vms/'),
  },
  { ...handOut('/vms/{vmid}', onPath('/vms/')), ...ifMachineHas('pool_role') },
];

/** A user that is made anew gets the roles that it had. */
function giveBack(path: string, owner: string): readonly Rule<'user.recreate'>[] {
  const prefix = path.slice(0, path.indexOf('{'));
  const why = 'to give the user its rights back';
  const at: Rule<'user.recreate'>['at'] = ({ acls }) =>
    acls.flatMap((acl) => (acl.path.startsWith(prefix) ? [acl.path.slice(prefix.length)] : []));
  return [
    { path, anyOf: [owner, 'Permissions.Modify'], why, at },
    {
      path,
      anyOf: ['Permissions.Modify'],
      each: 'every privilege of the role',
      why,
      since: 8,
      at,
      eachOf: ({ acls }, facts) => [...new Set(acls.flatMap((acl) => rolePrivileges(acl, facts)))],
    },
  ];
}

/** PUT /pools checks each VM that joins or leaves (API2/Pool.pm, update_pool), before it is a member. */
function changeMembers<K extends 'pool.join' | 'pool.release' | 'pool.update'>(
  vmids: (step: StepOf<K>, facts: Facts) => readonly number[],
  why: string,
): Rule<K> {
  return {
    path: '/vms/{vmid}',
    anyOf: ['VM.Allocate', 'Permissions.Modify'],
    why,
    when: 'profile full',
    at: (step, facts) => vmids(step, facts).map(String),
  };
}

/** Steps that bring VMs into their pools: the rights on the pool do not count for them yet. */
export const BRINGS_IN: ReadonlySet<string> = new Set<StepKind>(['pool.join', 'template.join']);

/** Steps on a VM that is still to join its pool, unless a confined caller's clone has joined at once. */
export const BEFORE_JOINING: ReadonlySet<string> = new Set<StepKind>([
  'vm.clone',
  'vm.configure',
  'vm.snapshot',
  // Of one that is cloned anew: it has left its pool by then.
  'vm.delete',
  'template.clone',
  'template.configure',
  'template.migrate',
  'template.convert',
]);

const cloneFrom: readonly Rule<'vm.clone' | 'template.clone'>[] = [
  {
    path: '/vms/{template}',
    anyOf: ['VM.Clone'],
    why: 'to clone the template',
    at: ({ templateVmid }) => [String(templateVmid)],
  },
  {
    path: '/storage/{storage}',
    anyOf: ['Datastore.AllocateSpace'],
    why: 'for the disks of the VM',
    at: ({ templateVmid, storage }, { configs }) =>
      (configs.get(templateVmid)?.storages ?? []).map((own) => storage ?? own),
  },
  {
    path: '/storage/{storage}',
    anyOf: ['Datastore.AllocateSpace'],
    why: 'to hand on where its memory is saved',
    when: 'the template names a storage for that (vmstatestorage)',
    at: ({ templateVmid }, { configs }) => [configs.get(templateVmid)?.stateStorage ?? []].flat(),
  },
  {
    path: '/sdn/zones/localnetwork/{bridge}',
    anyOf: ['SDN.Use'],
    why: "a clone starts with its template's networks",
    since: 8,
    at: ({ templateVmid }, { have, configs }) => bridgePaths(configs.get(templateVmid)?.nics ?? [], have),
  },
  {
    path: '/',
    anyOf: ['Sys.Console'],
    why: "to hand on a host's CD drive",
    when: 'the template has one',
    at: ({ templateVmid }, { configs }) => (configs.get(templateVmid)?.hasHostDrive === true ? HERE : []),
  },
  {
    path: '/mapping/{mapping}',
    anyOf: ['Mapping.Use'],
    why: 'to hand on a mapped device, and to see which nodes have it',
    when: 'the template uses resource mappings',
    since: 8,
    at: ({ templateVmid }, { configs }) => configs.get(templateVmid)?.mappings ?? [],
  },
  {
    // qemu-server 9.1.15, API2/Qemu.pm, clone_vm: before that only whoever set one was asked.
    path: '/mapping/cpu/{model}',
    anyOf: ['Mapping.Use'],
    why: "to hand on a CPU model of the datacenter's own",
    when: 'from 9.2 on, the template has one',
    since: 9,
    at: ({ templateVmid }, { have, configs }) => {
      const model = configs.get(templateVmid)?.cpuModel;
      return model === undefined || !isAtLeast(have.version, 9, 2) ? [] : [model];
    },
  },
];

const clone: readonly Rule<'vm.clone'>[] = [
  ...cloneFrom,
  {
    path: '/vms/{vmid}',
    anyOf: ['VM.Allocate'],
    why: 'to make the VM',
    when: 'profile full',
    at: ({ vmid }, { profile }) => (profile === 'confined' ? [] : [String(vmid)]),
  },
  {
    path: '/pool/{pool}',
    anyOf: ['VM.Allocate'],
    why: 'to make the VM in its pool',
    when: 'profile confined',
    at: ({ pool }, { profile }) => (profile === 'confined' ? [pool] : []),
  },
];

const vmOf = ({ vmid }: { readonly vmid: number }): readonly string[] => [String(vmid)];

/** Of options that the lab may leave to the template. */
function optionRule(
  group: OptionGroup,
  key: MachineKey,
  anyOf: readonly string[],
  why: string,
): Rule<'vm.configure'> {
  return {
    ...onVm(anyOf, why),
    ...ifMachineHas(key),
    at: (step) =>
      hasOptionOf(group, step.options) || (group === 'cloud-init' && step.secret !== undefined)
        ? vmOf(step)
        : [],
  };
}

/** Set in every VM. */
const optionsRule: Rule<'vm.configure'> = onVm(
  ['VM.Config.Options'],
  'notes (our mark), tags, start at boot, protection',
);

/** API2/Qemu.pm, check_vm_modify_config_perm. */
const OPTION_RULES: Readonly<Record<OptionGroup, Rule<'vm.configure'>>> = {
  onboot: optionsRule,
  protection: optionsRule,
  cores: optionRule('cores', 'cores', ['VM.Config.CPU'], 'number of cores'),
  memory: optionRule('memory', 'memory', ['VM.Config.Memory'], 'memory'),
  'cloud-init': optionRule(
    'cloud-init',
    'cloud_init',
    ['VM.Config.Cloudinit', 'VM.Config.Network'],
    'cloud-init settings',
  ),
};

/** API2/Qemu.pm, check_vm_modify_config_perm and check_bridge_access. */
const configure: readonly Rule<'vm.configure'>[] = [
  seeVm,
  ...new Set([optionsRule, onVm(['VM.Config.Network'], 'network cards'), ...Object.values(OPTION_RULES)]),
  {
    path: '/sdn/zones/localnetwork/{bridge}',
    anyOf: ['SDN.Use'],
    why: "to plug network cards into bridges (with a VLAN tag: on the tag's own path below, which the bridge's covers with propagation)",
    since: 8,
    at: ({ nics, vmid }, { have, configs }) =>
      bridgePaths([...nics, ...(configs.get(vmid)?.nics ?? [])], have),
  },
];

const power = onVm(['VM.PowerMgmt'], 'to switch it on and off');

/** Every kind of step; one without rules does not compile. */
export const STEP_RULES: StepRules = {
  'pool.create': [changePool, seePool],
  'pool.update': [
    changePool,
    seePool,
    {
      ...changeMembers<'pool.update'>(
        ({ leave = [] }) => leave,
        'to take VMs that are cloned anew out of their pool',
      ),
      when: 'a reset --reclone is made or finished, profile full',
    },
  ],
  'pool.join': [
    changePool,
    seePool,
    changeMembers<'pool.join'>(
      // A confined caller's are members already.
      ({ machines }, { profile }) => (profile === 'full' ? machines.map(({ vmid }) => vmid) : []),
      'to make the finished VMs members of their pool',
    ),
  ],
  'pool.leave': [changePool, seePool],
  'pool.release': [
    changePool,
    seePool,
    changeMembers<'pool.release'>(({ removeVmids }) => removeVmids, 'to take an unused VMID out of the pool'),
  ],
  'pool.delete': [changePool, seePool],
  'user.create': [ownRealm, changeUser],
  'user.delete': [ownRealm, changeUser],
  'user.update': [changeUser],
  'user.password': [ownRealm, changeUser],
  'user.recreate': [
    ownRealm,
    changeUser,
    ...giveBack('/pool/{pool}', 'Pool.Allocate'),
    ...giveBack('/vms/{vmid}', 'VM.Allocate'),
  ],
  'role.create': [
    {
      path: '/access',
      anyOf: ['Sys.Modify'],
      why: 'to make the role of `role: student`, once for the cluster; an administrator may do it instead',
      at: () => HERE,
    },
  ],
  'acl.grant': changeAcl,
  'acl.revoke': changeAcl,
  'bridge.create': [changeNetwork, seeBridge],
  'bridge.update': [changeNetwork, seeBridge],
  'bridge.delete': [changeNetwork, seeBridge],
  'network.reload': [changeNetwork],
  'ha.remove': [
    {
      path: '/',
      anyOf: ['Sys.Console'],
      why: 'to take a VM out of HA',
      when: 'HA manages it',
      at: () => HERE,
    },
  ],
  'template.clone': [...cloneFrom, onVm(['VM.Allocate'], 'to make the copy')],
  'template.configure': [
    seeVm,
    onVm(['VM.Config.Options'], 'to take off tags, protection and start at boot'),
    {
      ...onVm(['VM.Config.CDROM'], 'to take out a disc image that only one node has'),
      when: 'the template has one',
      at: (step) => (Object.keys(step.options).some(isDriveKey) ? vmOf(step) : []),
    },
  ],
  'template.migrate': [
    seeVm,
    onVm(['VM.Migrate'], 'to move the copy'),
    {
      ...onVm(['VM.Config.Disk'], 'to put its disks on another storage'),
      when: OTHER_STORAGE,
      at: (step) => (step.targetStorage === undefined ? [] : vmOf(step)),
    },
    {
      path: '/storage/{storage}',
      anyOf: ['Datastore.AllocateSpace'],
      why: 'for the disks of the copy',
      when: OTHER_STORAGE,
      at: ({ targetStorage }) => (targetStorage === undefined ? [] : [targetStorage]),
    },
  ],
  // Also of a guest that HA manages: PVE hands the request on as itself, only HA's own endpoint takes Sys.Console.
  'vm.migrate': [
    seeVm,
    {
      ...onVm(['VM.Migrate'], 'to move it to another node'),
      at: (step) => (step.awaited ? [] : vmOf(step)),
    },
    {
      ...onVm(['VM.Config.Disk'], 'to put its disks on another storage'),
      when: OTHER_STORAGE,
      at: (step) => (step.storageMap === undefined ? [] : vmOf(step)),
    },
    {
      path: '/storage/{storage}',
      anyOf: ['Datastore.AllocateSpace'],
      why: 'for its disks there',
      when: OTHER_STORAGE,
      at: ({ storageMap = {} }) => Object.values(storageMap),
    },
  ],
  'template.convert': [seeVm, onVm(['VM.Allocate'], 'to make the copy a template')],
  'template.join': [
    seeVm,
    onVm(['VM.Allocate'], 'to make the copy a member of its pool'),
    ...[changePool, seePool].map(({ path, anyOf, why }) => ({ path, anyOf, why, at: () => [REPLICA_POOL] })),
  ],
  'vm.clone': clone,
  'vm.seal': [seeVm, onVm(['VM.Config.Options'], 'notes (our mark)')],
  'vm.mark': [seeVm, onVm(['VM.Config.Options'], 'notes (our mark)')],
  'vm.configure': configure,
  'vm.snapshot': [seeVm, onVm(['VM.Snapshot'], 'to take a snapshot')],
  'vm.snapshot.delete': [seeVm, onVm(['VM.Snapshot'], 'to delete a snapshot')],
  'vm.rollback': [seeVm, onVm(['VM.Snapshot.Rollback', 'VM.Snapshot'], 'to go back to a snapshot')],
  'vm.start': [seeVm, power],
  'vm.stop': [seeVm, power],
  'vm.shutdown': [seeVm, power],
  'vm.reboot': [seeVm, power],
  'vm.suspend': [
    seeVm,
    power,
    {
      ...onVm(['VM.Config.Disk'], 'to write its memory to disk'),
      when: 'suspended to disk',
      at: (step) => (step.storage === undefined ? [] : vmOf(step)),
    },
    {
      path: '/storage/{storage}',
      anyOf: ['Datastore.AllocateSpace'],
      why: 'for the memory that is written to disk',
      when: 'suspended to disk',
      at: ({ storage }) => (storage === undefined ? [] : [storage]),
    },
  ],
  'vm.resume': [seeVm, power],
  'vm.unprotect': [seeVm, onVm(['VM.Config.Options'], 'to lift the protection')],
  'vm.delete': [seeVm, onVm(['VM.Allocate'], 'to remove the VM')],
};

/** The pool by which runs take turns. */
export const LOCK_PATH = `/pool/${LOCK_POOL}`;

/** The pool by which balancers do. */
export const BALANCE_LOCK_PATH = `/pool/${BALANCE_LOCK_POOL}`;
