import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { ConfigError, UsageError } from '../../src/lib/errors.ts';
import { toErrorDocument } from '../../src/lib/render/error-json.ts';
import { orderedJson } from '../../src/lib/render/ordered-json.ts';
import { toPlanDocument, toResultDocument } from '../../src/lib/render/result-json.ts';
import type { Plan } from '../../src/lib/plan/document/plan.ts';
import type { Step } from '../../src/lib/plan/document/step.ts';
import {
  completeStand,
  newStand,
  plan,
  refusedStand,
  reload,
  standSummary,
  step,
  summary,
} from './fixtures.ts';

function readSchema(name: string): Record<string, unknown> {
  const url = new URL(`../../schemas/${name}.schema.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as Record<string, unknown>;
}

const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true, discriminator: true });
const isPlan = ajv.compile(readSchema('plan'));
const isResult = ajv.compile(readSchema('result'));

const SWITCHED = { node: 'pve1', vmid: 10009, pool: 'a', lockWaitSeconds: 600 };
const COPY = { node: 'pve1', home: 'pve2', vmid: 99999, description: '' };

/** Together with those of a new stand: every kind there is. */
const rareSteps: readonly Step[] = [
  step('bridge.update', 'pve1/vmbr1000', { node: 'pve1', bridge: 'vmbr1000', vlanAware: true, comment: '' }),
  step('vm.snapshot', 'student1/eco', {
    ...{ node: 'pve1', vmid: 10001, pool: 'student1', snapshot: 'baseline', withMemory: true },
    description: 'deploy-stand snapshot lab=net vmid=10001 baseline',
  }),
  step('vm.snapshot.delete', 'student1/eco/old', {
    ...{ node: 'pve1', vmid: 10001, pool: 'student1', snapshot: 'old', lockWaitSeconds: 600 },
  }),
  step('vm.seal', 'student1/eco', {
    ...{ node: 'pve1', vmid: 10001, pool: 'student1', lockWaitSeconds: 600 },
    description: 'deploy-stand lab=net user=student1@pve machine=eco vmid=10001',
  }),
  step('pool.update', 'remade', { pool: 'remade', comment: 'deploy-stand user=a@pve', leave: [10001] }),
  step('vm.rollback', 'student1/eco', {
    ...{ node: 'pve1', vmid: 10001, pool: 'student1', snapshot: 'baseline', lockWaitSeconds: 600 },
    ...{ bridges: ['vmbr0'], power: 'keep' },
  }),
  step('bridge.update', 'pve1/vmbr1001', {
    node: 'pve1',
    bridge: 'vmbr1001',
    comment: '',
    newComment: 'deploy-stand lab=net user=a@pve net=hq since=2026-01-15T09:00:00Z',
  }),
  step('pool.update', 'adopted', {
    pool: 'adopted',
    comment: 'deploy-stand user=a@pve adopted roles=PVEVMAdmin',
    takeOver: { comment: '', vmids: [500] },
  }),
  step('vm.mark', 'a/pc', { node: 'pve1', vmid: 500, pool: 'a', description: '', newDescription: 'm' }),
  reload(['vmbr1000']),
  step('network.reload', 'pve2', { node: 'pve2', bridges: [], gone: ['vmbr1000'] }),
  step('acl.revoke', 'a', { path: '/pool/a', role: 'PVEVMAdmin', userid: 'a@pve' }),
  step('template.clone', '101@pve2', {
    node: 'pve1',
    target: 'pve1',
    home: 'pve2',
    templateVmid: 101,
    vmid: 99999,
    name: 'replica-101-pve2',
    description: '',
    full: true,
    storage: 'zfs',
    locks: ['pve1:zfs'],
  }),
  step('template.configure', '101@pve2', { ...COPY, options: { onboot: '0' } }),
  step('template.migrate', '101@pve2', { ...COPY, targetStorage: 'ssd2', locks: ['pve2:ssd2'] }),
  step('template.convert', '101@pve2', { ...COPY, locks: ['pve2:ssd2'] }),
  step('template.join', '101@pve2', COPY),
  step('vm.stop', '10009', { node: 'pve1', vmid: 10009, pool: 'a', lockWaitSeconds: 600 }),
  step('vm.shutdown', '10009', { ...SWITCHED, timeoutSeconds: 180, force: true }),
  step('vm.reboot', '10009', { ...SWITCHED, timeoutSeconds: 180 }),
  step('vm.suspend', '10009', { ...SWITCHED, storage: 'local-lvm' }),
  step('vm.resume', '10009', { ...SWITCHED, fromDisk: true }),
  step('vm.unprotect', '10009', { node: 'pve1', vmid: 10009, pool: 'a', lockWaitSeconds: 600 }),
  step('ha.remove', '10009', { vmid: 10009, pool: 'a' }),
  step('vm.delete', '10009', { node: 'pve1', vmid: 10009, pool: 'a', lockWaitSeconds: 600 }),
  step('vm.delete', '10010', {
    node: 'pve1',
    vmid: 10010,
    pool: 'a',
    adopted: true,
    lockWaitSeconds: 0,
  }),
  step('vm.stop', '10012', { node: 'pve1', vmid: 10012, pool: 'a', member: true, lockWaitSeconds: 0 }),
  step('vm.unprotect', '10012', { node: 'pve1', vmid: 10012, pool: 'a', member: true, lockWaitSeconds: 0 }),
  step('ha.remove', '10012', { vmid: 10012, pool: 'a', member: true }),
  step('vm.delete', '10012', { node: 'pve1', vmid: 10012, pool: 'a', member: true, lockWaitSeconds: 0 }),
  step('vm.clone', 'a/pc', {
    node: 'pve1',
    target: 'pve1',
    templateVmid: 100,
    vmid: 10011,
    name: 'pc',
    description: '',
    full: false,
    pool: 'a',
    joinsAtOnce: true,
    isUnderWay: true,
    locks: [],
  }),
  step('acl.grant', 'a/pc', {
    path: '/vms/10011',
    role: 'PVEVMUser',
    userid: 'a@pve',
    propagate: false,
    pool: 'a',
  }),
  step('bridge.delete', 'pve2/vmbr1000', { node: 'pve2', bridge: 'vmbr1000', comment: '' }),
  step('pool.leave', 'a', { pool: 'a', lab: 'net', machines: [{ machine: 'old', vmid: 10009 }] }),
  step('pool.release', 'a', { pool: 'a', comment: '', removeVmids: [10008] }),
  step('pool.delete', 'b', { pool: 'b', comment: 'deploy-stand user=b@pve' }),
  step('user.update', 'c@pve', {
    userid: 'c@pve',
    comment: 'deploy-stand since=2026-01-15T09:00:00Z',
    newComment: 'deploy-stand since=2026-01-15T09:00:00Z disabled=2026-02-15T09:00:00Z',
    groups: ['class-10a'],
    email: 'c@example.edu',
    firstName: 'C',
    lastName: 'D',
    expire: 0,
    enable: false,
  }),
  step('user.password', 'c@pve', { userid: 'c@pve', comment: 'deploy-stand since=2026-01-15T09:00:00Z' }),
  step('user.recreate', 'c@pve', {
    userid: 'c@pve',
    comment: 'deploy-stand since=2026-01-15T09:00:00Z',
    groups: [],
    email: 'c@example.edu',
    expire: 1790000000,
    enable: true,
    acls: [{ path: '/pool/c', role: 'PVEVMAdmin', propagate: true }],
  }),
  step('role.create', 'DeployStandStudent', { role: 'DeployStandStudent', privileges: ['VM.Audit'] }),
  step('vm.migrate', '10001', {
    node: 'pve1',
    target: 'pve2',
    vmid: 10001,
    online: true,
    withLocalDisks: true,
    storageMap: { ssd1: 'ssd2' },
    ha: false,
    conntrack: false,
    bandwidth: 102400,
    timeoutSeconds: 1800,
  }),
  step('user.delete', 'b@pve', { userid: 'b@pve', comment: 'deploy-stand since=2026-01-15T09:00:00Z' }),
];

function fullPlan(): Plan {
  return plan([newStand(1), completeStand(2, ['drift']), refusedStand(3)], { warnings: ['w'] }, rareSteps);
}

function shuffleKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffleKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, shuffleKeys(member)]),
  );
}

/** Paths of property schemas without a description of their own or of what they refer to. */
function undescribed(node: unknown, root: Record<string, unknown>, path = ''): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const found: string[] = [];
  for (const [key, value] of Object.entries(node)) {
    if (key === 'properties' || key === 'definitions') {
      for (const [name, schema] of Object.entries(value as Record<string, Record<string, unknown>>)) {
        const ref = schema['$ref'];
        const target =
          typeof ref === 'string' && ref.startsWith('#/definitions/')
            ? (root['definitions'] as Record<string, Record<string, unknown>>)[ref.slice(14)]
            : schema;
        const isForeign = typeof ref === 'string' && !ref.startsWith('#');
        if (!isForeign && typeof target?.['description'] !== 'string') found.push(`${path}/${name}`);
      }
    }
    found.push(...undescribed(value, root, `${path}/${key}`));
  }
  return found;
}

/** Paths of object schemas that let unknown properties pass. */
function open(node: unknown, path = ''): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const own =
    'properties' in node && !('additionalProperties' in node && node.additionalProperties === false)
      ? [path]
      : [];
  return [...own, ...Object.entries(node).flatMap(([key, value]) => open(value, `${path}/${key}`))];
}

describe('schemas', () => {
  test.each(['plan', 'result'])('%s: every property is described, no object is open', (name) => {
    const schema = readSchema(name);
    expect(undescribed(schema, schema)).toEqual([]);
    // `properties` itself may be the name of nothing in our documents, so every hit is an object schema
    expect(open(schema)).toEqual([]);
  });

  test('a plan with every kind of step and precondition is valid', () => {
    const document = toPlanDocument(fullPlan());
    expect([isPlan(document), isPlan.errors]).toEqual([true, null]);
  });

  test('the kinds of the fixture are all kinds of the schema', () => {
    const branches = (readSchema('plan')['definitions'] as Record<string, { oneOf?: unknown[] }>)['step'];
    expect(new Set(fullPlan().steps.map((one) => one.kind)).size).toBe(branches?.oneOf?.length);
  });

  const damage: readonly { name: string; edit: (plan: Record<string, unknown>) => void; at: string }[] = [
    { name: 'another version', edit: (p) => (p['version'] = 1), at: '/version' },
    { name: 'an unknown member', edit: (p) => (p['password'] = 'x'), at: '' },
    {
      name: 'an unknown kind',
      edit: (p) => ((p['steps'] as { kind: string }[])[0]!.kind = 'x'),
      at: '/steps/0',
    },
    {
      name: 'a payload of another kind',
      edit: (p) => ((p['steps'] as Record<string, unknown>[])[1]!['bridge'] = 'x'),
      at: '/steps/1',
    },
    {
      name: 'a VMID out of range',
      edit: (p) => ((p['steps'] as { vmid: number }[])[1]!.vmid = 5),
      at: '/steps/1/vmid',
    },
    {
      name: 'a VM without the pool that claims it',
      edit: (p) => delete (p['steps'] as Record<string, unknown>[])[1]!['pool'],
      at: '/steps/1',
    },
    { name: 'a missing list', edit: (p) => delete p['warnings'], at: '' },
  ];
  test.each(damage)('a plan with $name is refused', ({ edit, at }) => {
    const document = JSON.parse(JSON.stringify(fullPlan())) as Record<string, unknown>;
    edit(document);
    expect(isPlan(document)).toBe(false);
    expect(isPlan.errors?.map((error) => error.instancePath)).toEqual([at]);
  });
});

describe('result documents', () => {
  const both = summary(
    [
      standSummary(1),
      standSummary(2, { status: 'unchanged', notes: ['drift'] }),
      standSummary(3, {
        node: null,
        status: 'refused',
        vms: [],
        bridges: [],
        error: { code: 'POOL_FOREIGN', message: 'm', hint: 'h' },
      }),
    ],
    { status: 'partial' },
  );

  test('is valid, and holds plan and summary unchanged', () => {
    const document = toResultDocument(fullPlan(), both);
    expect([isResult(document), isResult.errors]).toEqual([true, null]);
    expect(Object.keys(document)).toEqual(['plan', 'summary']);
    expect(document).toEqual({ plan: fullPlan(), summary: both });
  });

  test('same content, same text, in whatever order the keys were', () => {
    const text = JSON.stringify(toResultDocument(fullPlan(), both));
    const shuffled = toResultDocument(shuffleKeys(fullPlan()) as Plan, both);
    expect(JSON.stringify(shuffled)).toBe(text);
    expect(Object.keys(toPlanDocument(fullPlan())).slice(0, 4)).toEqual([
      'version',
      'command',
      'lab',
      'strategy',
    ]);
  });

  test('members that are undefined are left out; what JSON cannot hold is a defect', () => {
    expect(orderedJson({ b: undefined, a: [1, null, true] })).toEqual({ a: [1, null, true] });
    expect(() => orderedJson({ f: () => 1 })).toThrow(TypeError);
    expect(() => orderedJson(Number.NaN)).toThrow(TypeError);
  });
});

describe('error documents', () => {
  test.each([
    {
      name: 'with issues',
      error: new ConfigError('CONFIG', '1 problem in lab.yml', {
        hint: 'see the guide',
        issues: [{ file: 'lab.yml', line: 3, column: 5, path: 'machines[0].name', message: 'is missing' }],
      }),
      hint: 'see the guide',
      issues: [{ file: 'lab.yml', line: 3, column: 5, path: 'machines[0].name', message: 'is missing' }],
    },
    { name: 'bare', error: new UsageError('USAGE', 'no -c'), hint: null, issues: [] },
  ])('$name', ({ error, hint, issues }) => {
    const document = toErrorDocument(error);
    expect([isResult(document), isResult.errors]).toEqual([true, null]);
    expect(document).toEqual({ error: { code: error.code, message: error.message, hint, issues } });
  });
});
