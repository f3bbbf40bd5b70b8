import { describe, expect, test } from 'vitest';
import type { Inventory } from '../../src/lib/inventory/types.ts';
import { foreignSteps } from '../../src/lib/plan/saved-plan.ts';
import type { Plan, Step, StepKind } from '../../src/lib/plan/types.ts';
import {
  alias,
  applied,
  bridge,
  claimOf,
  guest,
  have,
  lab,
  machine,
  plan,
  real,
  reserved,
  user,
} from './builders.ts';

const want = lab([
  machine('pc', [alias('lan'), real('vmbr0'), reserved('vmbr500')], {
    start: true,
    baselineSnapshot: 'clean',
  }),
]);
const users = [user('anna'), user('boris')];
const saved = plan(want, users);
const check = (changed: Plan, cluster: Inventory = have(), adopt = false) =>
  foreignSteps(changed, { lab: want, users, adopt }, cluster);

test('what deploy plans is within the class: new, half made, complete, changed', () => {
  expect(check(saved)).toEqual([]);
  const made = applied(want, saved);
  const other = lab([machine('pc', [alias('lan')], { cores: 4, start: true })]);
  for (const next of [want, other]) {
    const again = plan(next, users, made);
    expect(foreignSteps(again, { lab: next, users, adopt: false }, made)).toEqual([]);
  }
});

/** The saved plan with anna's step of this kind changed. */
function edited(kind: StepKind, change: object): Plan {
  const isHers = (step: Step) => step.kind === kind && step.user === 'anna@pve';
  expect(saved.steps.some(isHers)).toBe(true);
  return {
    ...saved,
    steps: saved.steps.map((step) => (isHers(step) ? { ...step, ...change } : step)),
  };
}

function added(kind: StepKind, payload: object): Plan {
  const step = { id: `${kind}:x`, kind, user: 'anna@pve', reason: '', dependsOn: [], after: [], ...payload };
  return { ...saved, steps: [...saved.steps, step as unknown as Step] };
}

const admin = have({
  guests: [...have().guests, guest(500)],
  pools: [{ pool: 'prod', comment: 'production' }],
});
const mark = (userid: string, vmid: number) =>
  `deploy-stand lab=net user=${userid} machine=pc vmid=${vmid} spec=x.y`;

describe('a plan that was edited', () => {
  test.each<{ name: string; changed: Plan; says: RegExp; cluster?: Inventory }>([
    { name: 'another user', changed: edited('user.create', { userid: 'admin@pve' }), says: /users file/ },
    { name: 'another group', changed: edited('user.create', { groups: ['admins'] }), says: /users file/ },
    {
      name: 'a user of nobody',
      changed: edited('user.create', { user: 'eve@pve' }),
      says: /eve@pve is not in/,
    },
    { name: 'another pool', changed: edited('pool.create', { pool: 'prod' }), says: /prod/ },
    { name: 'a claim in another pool', changed: edited('pool.update', { pool: 'prod' }), says: /prod/ },
    {
      name: 'a claim of a foreign VM',
      changed: edited('pool.update', { addVmids: [500] }),
      says: /500 exists/,
      cluster: admin,
    },
    {
      name: 'a claim that drops those of another lab',
      changed: saved,
      says: /claims of others/,
      cluster: have({ pools: [{ pool: 'anna', comment: claimOf('anna@pve', [700], 'other') }] }),
    },
    {
      name: 'a pool without our mark',
      changed: saved,
      says: /does not carry our mark/,
      cluster: have({ pools: [{ pool: 'anna', comment: '' }] }),
    },
    {
      name: 'a right on everything',
      changed: edited('acl.grant', { path: '/' }),
      says: /not what the lab gives/,
    },
    {
      name: 'a higher role',
      changed: edited('acl.grant', { role: 'Administrator' }),
      says: /not what the lab gives/,
    },
    { name: 'a right for another', changed: edited('acl.grant', { userid: 'eve@pve' }), says: /eve@pve/ },
    {
      name: 'a foreign VM, configured',
      changed: edited('vm.configure', { vmid: 500, description: mark('anna@pve', 500) }),
      says: /500 is not claimed/,
      cluster: admin,
    },
    {
      name: "another student's mark",
      changed: edited('vm.configure', { description: mark('boris@pve', 10000) }),
      says: /mark of another/,
    },
    {
      name: 'a hook script',
      changed: edited('vm.configure', { options: { hookscript: 'local:x' } }),
      says: /cannot set hookscript/,
    },
    {
      name: 'a disk removed',
      changed: edited('vm.configure', { remove: ['scsi0'] }),
      says: /cannot set scsi0/,
    },
    {
      name: "another student's network",
      changed: edited('vm.configure', { nics: [{ index: 0, model: 'virtio', bridge: 'vmbr1001' }] }),
      says: /vmbr1001/,
    },
    { name: 'a foreign VM, started', changed: edited('vm.start', { vmid: 500 }), says: /500/ },
    { name: 'a foreign VM, frozen', changed: edited('vm.snapshot', { vmid: 500 }), says: /500/ },
    {
      name: 'a clone of what is no template',
      changed: edited('vm.clone', { templateVmid: 500 }),
      says: /not a template/,
      cluster: admin,
    },
    { name: 'a bridge without a mark', changed: edited('bridge.create', { comment: 'mine' }), says: /mark/ },
    {
      name: 'a shared bridge that no lab names',
      changed: added('bridge.create', {
        user: undefined,
        node: 'pve1',
        bridge: 'vmbr9',
        comment: 'deploy-stand reserved since=x',
      }),
      says: /no stand/,
    },
    {
      name: 'a foreign bridge, changed',
      changed: added('bridge.update', {
        node: 'pve1',
        bridge: 'vmbr7',
        vlanAware: true,
        comment: 'deploy-stand lab=net user=anna@pve net=lan since=x',
      }),
      says: /vmbr7/,
      cluster: have({
        networks: [{ ...have().networks[0]!, bridges: [bridge('vmbr7', { comments: 'uplink' })] }],
      }),
    },
    {
      name: 'rights taken',
      changed: added('acl.revoke', { path: '/pool/anna', role: 'X', userid: 'anna@pve' }),
      says: /not ours/,
    },
    ...(
      [
        'vm.delete',
        'vm.stop',
        'vm.unprotect',
        'ha.remove',
        'bridge.delete',
        'pool.delete',
        'pool.release',
        'user.delete',
        'user.update',
        'user.password',
        'user.recreate',
      ] as const
    ).map((kind) => ({
      name: kind,
      changed: added(kind, { node: 'pve1', vmid: 10000, pool: 'anna', userid: 'anna@pve' }),
      says: /has no such step/,
    })),
  ])('$name', ({ changed, says, cluster }) => {
    expect(check(changed, cluster).join('\n')).toMatch(says);
  });
});
