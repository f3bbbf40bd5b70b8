/** What students and pool admins can write decides nothing: roles, templates, user ids. */
import { describe, expect, test } from 'vitest';
import { parseUsers } from '../../src/lib/config/load.ts';
import { ConfigError } from '../../src/lib/errors.ts';
import type { Inventory } from '../../src/lib/inventory/types.ts';
import { roleRefusals } from '../../src/lib/plan/stands/roles.ts';
import { passedOver, resolveTemplate } from '../../src/lib/plan/cluster/templates.ts';
import { viewOf } from '../../src/lib/plan/cluster/view.ts';
import { checkLab } from '../../src/lib/plan/deploy/lab-rules.ts';
import { viewTemplates } from '../../src/lib/plan/templates/view.ts';
import { examine } from '../../src/lib/privileges/examine.ts';
import { deployScope } from '../../src/lib/privileges/scopes.ts';
import { alias, have, lab, machine, user } from './builders.ts';

const guest = (
  vmid: number,
  more: Partial<Inventory['guests'][number]> = {},
): Inventory['guests'][number] => ({
  vmid,
  node: 'pve1',
  type: 'qemu',
  name: 'debian12',
  status: 'stopped',
  template: true,
  ha: false,
  memory: 0,
  cpus: 1,
  ...more,
});

const config = (vmid: number, description = ''): Inventory['templates'][number] => ({
  vmid,
  node: 'pve1',
  digest: 'd',
  values: { name: 'debian12', template: '1', description, scsi0: `nfs:base-${vmid}-disk-0,size=2G` },
});

const named = machine('pc', [], { template: { by: 'name', name: 'debian12' } });
const MARKED = 'deploy-stand user=anna@pve\nlab=net vmids=10000 since=2026-01-01T00:00:00Z';

function found(
  guests: Inventory['guests'],
  templates: Inventory['templates'],
  pools: Inventory['pools'] = [],
  memberWriters: Inventory['memberWriters'] = [],
  poolWriters: Inventory['poolWriters'] = [],
) {
  const answer = resolveTemplate(
    named,
    have({ guests, templates, pools, memberWriters, poolWriters }),
    'lab.yml',
  );
  return 'code' in answer ? answer.message : answer.candidates.map(({ vmid }) => vmid);
}

describe('a template by name', () => {
  test('is never a member of a pool of ours, whatever it is called', () => {
    const guests = [guest(10000, { pool: 'anna' })];
    const pools = [{ pool: 'anna', comment: MARKED }];
    expect(found(guests, [config(10000)], pools)).toContain('no template is called "debian12"');
    const world = have({ guests, templates: [config(10000)], pools });
    expect(passedOver(named.template, world)).toEqual([
      'templates called "debian12": 10000 on pve1 is a machine of a stand and was passed over',
    ]);
  });

  test('is never a member of the pool of copies, whoever put it there; which is told unless it is one of ours', () => {
    const pool = 'deploy-stand-replicas';
    const guests = [guest(300, { pool })];
    const copies = (comment: string) => [{ pool, comment }];
    const ours = 'deploy-stand replicas\nsource=101 vmid=300 node=pve1 since=2026-01-01T00:00:00Z state=made';
    expect(found(guests, [config(300)], copies(''))).toContain('no template is called');
    expect(passedOver(named.template, have({ guests, pools: copies('') }))).toEqual([
      `templates called "debian12": 300 on pve1 is in pool ${pool}, which is for copies, and was passed over`,
    ]);
    expect(passedOver(named.template, have({ guests, pools: copies(ours) }))).toEqual([]);
  });

  test('is never a guest whose notes carry a mark of its own number', () => {
    const mark = 'deploy-stand lab=net user=anna@pve machine=pc vmid=10000 spec=a.b';
    expect(found([guest(10000)], [config(10000, mark)])).toContain('no template is called');
    // A copy of such notes says nothing.
    expect(found([guest(200)], [config(200, mark)])).toEqual([200]);
  });

  test('is rather one without a pool; those in pools make no name ambiguous', () => {
    const templates = [config(200), config(201)];
    expect(found([guest(200), guest(201, { pool: 'staff' })], templates)).toEqual([200]);
    expect(found([guest(201, { pool: 'staff' })], templates)).toEqual([201]);
    expect(found([guest(200), guest(201)], templates)).toContain('2 templates');
  });

  describe('that is itself in a pool', () => {
    const boss = { path: '/pool/lessons', propagate: true, says: 'boss@pve has PVEVMAdmin on /pool/lessons' };
    const real = guest(200, { pool: 'golden' });
    const forged = guest(300, { pool: 'lessons' });
    const configs = [config(200), config(300), config(301)];

    test('goes before those in pools whose members others may name, on whatever node; which are told', () => {
      for (const node of ['pve1', 'pve2']) {
        const guests = [real, { ...forged, node }];
        expect(found(guests, configs, [], [boss])).toEqual([200]);
        expect(passedOver(named.template, have({ guests, memberWriters: [boss] }))).toEqual([
          `templates called "debian12": 300 on ${node} is in pool lessons (boss@pve has PVEVMAdmin on /pool/lessons) and was passed over`,
        ]);
      }
    });

    test('goes behind one in no pool, whoever may name it', () => {
      const guests = [guest(301), real];
      expect(found(guests, configs)).toEqual([301]);
      expect(passedOver(named.template, have({ guests }))).toEqual([
        'templates called "debian12": 200 on pve1 is in pool golden and was passed over',
      ]);
    });

    test('goes before one in no pool where somebody may take machines out of one; of several there none is taken', () => {
      const poolWriters = [{ ...boss, says: 'boss@pve has PVEPoolAdmin on /pool/lessons' }];
      expect(found([guest(301), real], configs, [], [], poolWriters)).toEqual([200]);
      expect(passedOver(named.template, have({ guests: [guest(301), real], poolWriters }))).toEqual([
        'templates called "debian12": 301 on pve1 is in no pool (boss@pve has PVEPoolAdmin on /pool/lessons) and was passed over',
      ]);
      expect(found([guest(300), guest(301, { node: 'pve2' })], configs, [], [], poolWriters)).toMatch(
        /are in no pool, and others may take theirs out of one \(boss@pve .*\): 300 on pve1, 301 on pve2$/,
      );
      // One alone is what there is; those in pools of others are no match for it.
      expect(found([guest(301)], configs, [], [], poolWriters)).toEqual([301]);
      expect(found([guest(301), forged], configs, [], [boss], poolWriters)).toEqual([301]);
    });

    test('is taken where others may name it and it is the only one, and that is told', () => {
      expect(found([forged], configs, [], [boss])).toEqual([300]);
      expect(passedOver(named.template, have({ guests: [forged], memberWriters: [boss] }))).toEqual([
        expect.stringMatching(/300 on pve1 is in pool lessons \(boss@pve .* name it with template_vmid/),
      ]);
      expect(passedOver(named.template, have({ guests: [forged] }))).toEqual([]);
    });

    test('is not told from another one that others may have named, not even on another node', () => {
      const guests = [forged, guest(301, { pool: 'lessons/anna', node: 'pve2' })];
      expect(found(guests, configs, [], [boss])).toMatch(
        /machine pc: templates called "debian12" are in pools whose members others may name: 300 on pve1 in pool lessons \(boss@pve .*301 on pve2 in pool lessons.anna/,
      );
      // Of pools that nobody else writes one on each node is meant, as of those in none.
      expect(found(guests, configs)).toEqual([300, 301]);
    });
  });

  describe('beside a machine of a student that is called like it, whoever asks:', () => {
    const pools = [{ pool: 'anna', comment: MARKED }];
    const twin = guest(10000, { pool: 'anna' });
    const pair = have({
      pools,
      guests: [
        twin,
        guest(200, { node: 'pve2', pool: 'golden' }),
        guest(201, { node: 'pve1', name: 'other' }),
      ],
      templates: [config(10000), { ...config(200), node: 'pve2' }, config(201)],
    });
    const other = machine('other', [], { template: { by: 'vmid', vmid: 201 } });

    test('rights are asked for the meant one', () => {
      const labs = lab([named]);
      expect(deployScope(labs, [], pair, true).templates).toEqual([200]);
      const alone = have({ pools, guests: [twin], templates: [config(10000)] });
      expect(deployScope(labs, [], alone, true)).toMatchObject({ templates: [], hasUnknownTemplates: true });
    });

    test('a class that is not there yet is looked at without it', () => {
      const world = have();
      const there = { ...guest(101), name: 'linux', pool: 'golden' };
      const seen = {
        ...{ ...world, pools },
        guests: [...world.guests.filter(({ vmid }) => vmid !== 101), there, { ...twin, name: 'linux' }],
        templates: [...world.templates, config(10000)],
      };
      const want = { command: 'deploy', profile: 'full', users: [user('boris')] } as const;
      const labs = lab([machine('pc', [], { template: { by: 'name', name: 'linux' } })]);
      expect(examine({ ...want, lab: labs, have: seen })).toMatchObject({ scope: 'class' });
    });

    test('strategy local knows its node', () => {
      const labs = lab([{ ...named, networks: [alias('hq')] }, other], {
        placement: { strategy: 'local', exclude: [] },
      });
      const codes = checkLab(labs, pair, viewOf(pair)).refusals.map(({ code }) => code);
      expect(codes).toContain('LOCAL_TORN');
    });

    test('it is in no list of templates', () => {
      expect(viewTemplates(pair, undefined).templates.map(({ vmid }) => vmid)).toEqual([200, 201]);
      const answer = resolveTemplate({ ...named, template: { by: 'name', name: 'x' } }, pair, 'lab.yml');
      expect(answer).toMatchObject({ hint: expect.not.stringContaining('10000') });
    });
  });

  test('by number it is what the lab says', () => {
    const byNumber = machine('pc', [], { template: { by: 'vmid', vmid: 201 } });
    const world = have({ guests: [guest(201, { pool: 'staff' })], templates: [config(201)] });
    expect(resolveTemplate(byNumber, world, 'lab.yml')).toMatchObject({ template: { vmid: 201 } });
  });
});

test.each([
  ['PVEVMAdmin', []],
  ['PVEPoolAdmin', ['ROLE_HANDS_OVER']],
  ['Administrator', ['ROLE_HANDS_OVER']],
  ['Nobody', ['NO_ROLE']],
])('role %s: %j', (role, codes) => {
  const rolePrivileges = {
    PVEVMAdmin: ['VM.Audit', 'VM.Allocate'],
    PVEPoolAdmin: ['Pool.Allocate'],
    Administrator: ['Permissions.Modify', 'Pool.Allocate', 'Sys.Modify'],
  };
  const world = have({ roles: Object.keys(rolePrivileges), rolePrivileges });
  expect(roleRefusals([role], world, 'lab.yml').map(({ code }) => code)).toEqual(codes);
});

test.each(['a,b@pve', 'x@pve,y@pve', 'a;b@pve'])('userid %s is refused', (userid) => {
  let error: unknown;
  try {
    parseUsers(`users: ["${userid}"]\n`, 'users.yml');
  } catch (thrown) {
    error = thrown;
  }
  const messages = error instanceof ConfigError ? error.issues.map(({ message }) => message) : [];
  expect(messages.join()).toContain('takes "," and ";" in a userid');
});
