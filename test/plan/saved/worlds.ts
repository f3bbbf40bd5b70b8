/** Classes and clusters whose saved plans hold, together, every kind of step that a deploy plans. */
import { STUDENT_PRIVILEGES, STUDENT_ROLE } from '../../../src/lib/marks/role.ts';
import type { Lab, User } from '../../../src/lib/config/types.ts';
import type { Inventory } from '../../../src/lib/inventory/types.ts';
import type { DeployPlan } from '../../../src/lib/plan/document/plan.ts';
import type { DeployOptions } from '../../../src/lib/plan/deploy/context.ts';
import { planAgain } from '../../../src/lib/plan/saved/plan-again.ts';
import {
  alias,
  applied,
  bridge,
  guest,
  have,
  lab,
  machine,
  plan,
  real,
  reserved,
  router,
  template,
  user,
} from '../builders.ts';

export interface World {
  readonly lab: Lab;
  readonly users: readonly User[];
  readonly have: Inventory;
  readonly options: Pick<DeployOptions, 'adopt' | 'resetPasswords'>;
  readonly saved: DeployPlan;
}

function world(of: Omit<World, 'saved' | 'options'> & { readonly options?: World['options'] }): World {
  const options = of.options ?? { adopt: false };
  return { ...of, options, saved: plan(of.lab, of.users, of.have, options) };
}

/** What applying `saved` comes to, in this world or another one. */
export function again(
  { lab: want, users, have: before, options }: World,
  saved: DeployPlan,
  cluster: Inventory = before,
): DeployPlan {
  return planAgain(saved, { lab: want, users, have: cluster, options: { ...options, updateRunning: false } });
}

const routed = lab([
  router('gw', [alias('lan'), real('vmbr0')]),
  machine('pc', [alias('lan', { tag: 100 }), reserved('vmbr500')], {
    start: true,
    startOrder: 1,
    baselineSnapshot: 'clean',
    cores: 4,
    poolRole: 'PVEVMUser',
    cloudInit: { user: 'student', password: 'secret' },
  }),
]);

export const fresh = world({
  lab: routed,
  users: [user('anna', { groups: ['class'], email: 'a@example.edu' }), user('boris')],
  have: have({ groups: ['class'] }),
});

const row = (node: string, name: string, type: string) => ({
  ...have().storages[1]!,
  node,
  storage: name,
  type,
});

/** The template is on local storage of another node. */
const copied = world({
  lab: lab([machine('pc', [real('vmbr0')])], {
    placement: { strategy: 'balanced', nodes: ['pve2'], exclude: [] },
  }),
  users: [user('anna'), user('boris')],
  have: have({
    storages: ['pve1', 'pve2'].map((node) => row(node, 'zfs', 'zfspool')),
    templates: [template(101, 'zfs', { ide2: 'iso:iso/tools.iso,media=cdrom' })],
  }),
});

const simple = lab([machine('pc', [alias('lan')])]);
const made = applied(simple, plan(simple, [user('anna')]));

/** The lab was given another role, and a tag on its network, after it was deployed. */
const changed = world({
  lab: lab([machine('pc', [alias('lan', { tag: 7 })])], { access: { role: 'PVEVMUser' } }),
  users: [user('anna')],
  have: made,
});

const member = (vmid: number, name: string, iface: string) => ({
  guest: guest(vmid, { name, status: 'stopped', pool: 'anna' }),
  config: {
    vmid,
    node: 'pve1',
    digest: 'd',
    values: { name, description: 'mine', net0: `virtio=BC:24:11:00:00:09,bridge=${iface}` },
  },
});
const members = [member(500, 'pc', 'vmbr1000'), member(501, 'other', 'vmbr1001')];

/** A stand of the older tool, with a further machine that is not of the lab. */
export const adopted = world({
  options: { adopt: true },
  lab: lab([machine('pc', [alias('lan')]), machine('late', [alias('lan')])]),
  users: [user('anna')],
  have: have({
    guests: [...have().guests, ...members.map((one) => one.guest)],
    vms: members.map(({ config }) => config),
    pools: [{ pool: 'anna', comment: 'group 1' }],
    acls: [{ path: '/pool/anna', role: 'PVEVMUser', subject: 'anna@pve', type: 'user', propagate: true }],
    networks: have().networks.map((network) => ({
      ...network,
      bridges: [...network.bridges, ...['vmbr1000', 'vmbr1001'].map((iface) => bridge(iface, { ports: [] }))],
    })),
    bridgeUse: [
      { vmid: 500, node: 'pve1', bridges: ['vmbr1000'], snapshotBridges: [], description: '' },
      { vmid: 501, node: 'pve1', bridges: ['vmbr1001'], snapshotBridges: [], description: '' },
    ],
    bridgeUseNodes: ['pve1', 'pve2'],
    hidden: { bridges: false, guests: false },
  }),
});

/** Clones with `pool=`. */
export const confined = world({
  lab: simple,
  users: [user('anna')],
  have: have({ rights: { '/pool': { 'VM.Allocate': true } } }),
});

const rolePrivileges = {
  Administrator: [...STUDENT_PRIVILEGES],
  PVEVMAdmin: ['VM.Audit'],
  PVEVMUser: ['VM.Audit'],
};

/** With the role of `role: student`, which is missing. */
const ownRole = world({
  lab: { ...simple, access: { role: STUDENT_ROLE } },
  users: [user('anna')],
  have: have({ roles: Object.keys(rolePrivileges), rolePrivileges }),
});

/** Nothing is missing; its user gets a new password. */
const renewed = world({
  lab: simple,
  users: [user('anna')],
  have: made,
  options: { adopt: false, resetPasswords: true },
});

export const worlds = { fresh, copied, changed, adopted, confined, ownRole, renewed };
