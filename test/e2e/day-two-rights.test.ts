/**
 * Commands on stands with what `doctor` proposes for them, and with each privilege less: done, or refused before a write.
 * What they and `doctor` print as JSON fits its schema.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { comparable } from './cluster-view.ts';
import {
  post,
  runCli,
  scenario,
  startCluster,
  workFolder,
  writeFiles,
  writes,
  type Cluster,
} from './harness.ts';
import { resultErrors } from './result-schema.ts';

const SECRET = '11111111-2222-4333-8444-555555555555';
const USER = 'teacher@pve';
const ENV = { PVE_TOKEN_ID: `${USER}!cli`, PVE_TOKEN_SECRET: SECRET };
const LAB = `name: exam
expires: 2027-02-01
machines: [{ device_type: linux, name: pc, template_vmid: 101, pool_role: PVEVMUser, start: true, baseline_snapshot: true, networks: [{ bridge: vmbr0 }] }]
`;

interface Grant {
  readonly path: string;
  readonly role: string;
  readonly privileges: readonly string[];
  readonly propagate: boolean;
}

async function grant(cluster: Cluster, grants: readonly Grant[]): Promise<void> {
  for (const [roleid, privs] of new Map(grants.map(({ role, privileges }) => [role, privileges.join(',')])))
    expect(await post(cluster, '/access/roles', { roleid, privs })).toBe(200);
  for (const { path, role, propagate } of grants) {
    const form = { path, roles: role, users: USER, propagate: propagate ? '1' : '0' };
    expect(await post(cluster, '/access/acl', form, 'admin', 'PUT')).toBe(200);
  }
}

const isReport = new Ajv({ strict: false }).compile(
  JSON.parse(readFileSync('schemas/doctor.schema.json', 'utf8')) as object,
);

/** As it is left, the teacher's own rights aside. */
const leftOf = (cluster: Cluster): unknown => {
  const state = cluster.snapshot();
  return comparable({
    ...state,
    acl: state.acl.filter(({ subject }) => subject !== USER),
    roles: {},
  });
};

test.each([
  { command: 'access', line: 'access freeze --lab exam --snapshot end --stop' },
  { command: 'access', line: 'access thaw --lab exam', before: 'access freeze --lab exam' },
  { command: 'access', line: 'access freeze --lab exam --suspend', unseen: [5, 'STATE_STORAGE'] as const },
  { command: 'extend', line: 'extend --lab exam --until 2027-05-01' },
  { command: 'power', line: 'power suspend --lab exam', unseen: [5, 'STATE_STORAGE'] as const },
  { command: 'snapshot', line: 'snapshot create end --lab exam --vmstate' },
  { command: 'snapshot', line: 'snapshot rollback end --lab exam', before: 'snapshot create end --lab exam' },
  { command: 'snapshot', line: 'snapshot delete end --lab exam', before: 'snapshot create end --lab exam' },
  { command: 'reset', line: 'reset --lab exam --start' },
  {
    command: 'reset',
    line: 'reset --reclone -c LAB -u USERS',
    unseen: [3, 'storage ceph is not defined, or not shown'] as const,
  },
])('$line', async ({ command, line, before, unseen }) => {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [{ userid: anna@pve, expire: 2027-02-01 }]\n' });
  const user = { userid: USER, tokens: [{ id: 'cli', secret: SECRET, privsep: false }] };
  const origin = await startCluster({ scenario: scenario({ version: '9.2', users: [user] }) });
  const files = ['-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
  const made = await runCli(['deploy', ...files, '--credentials', join(folder, 'c.csv')], origin);
  expect(made.code).toBe(0);
  if (before) expect((await runCli(before.split(' '), origin)).code).toBe(0);
  const state = origin.snapshot();
  const asked = await runCli(['doctor', '--for', command, '--output', 'json'], origin);
  const report = JSON.parse(asked.stdout) as { grants: Grant[] };
  expect([isReport(report), isReport.errors]).toEqual([true, null]);
  const { grants } = report;
  expect(grants.length).toBeGreaterThan(0);

  const words = line
    .split(' ')
    .map((word) => ({ LAB: join(folder, 'lab.yml'), USERS: join(folder, 'users.yml') })[word] ?? word);
  const whole = await startCluster({ state });
  await grant(whole, grants);
  const done = await runCli([...words, '--output', 'json'], whole, { env: ENV });
  expect([done.code, done.code === 0 ? '' : done.stderr + done.stdout]).toEqual([0, '']);
  expect(resultErrors(done.stdout)).toEqual([]);
  const expected = leftOf(whole);
  let refused = 0;
  for (const role of new Set(grants.map((one) => one.role))) {
    for (const privilege of grants.find((one) => one.role === role)?.privileges ?? []) {
      const cluster = await startCluster({ state });
      const less = grants.map((one) =>
        one.role === role ? { ...one, privileges: one.privileges.filter((name) => name !== privilege) } : one,
      );
      await grant(cluster, less);
      const since = cluster.requests.length;
      const run = await runCli(words, cluster, { env: ENV });
      // PVE does not tell a storage that is hidden from one that is not there.
      if (privilege === 'Datastore.AllocateSpace' && unseen)
        expect([run.code, run.stdout + run.stderr]).toEqual([unseen[0], expect.stringContaining(unseen[1])]);
      else if (run.code === 0)
        expect([role, privilege, leftOf(cluster)]).toEqual([role, privilege, expected]);
      else {
        refused += 1;
        // Who else may write a pool is not shown without it, so that a stand in it is left alone.
        const expectedCode = run.stdout.includes('[POOL_DELEGATED]') ? 5 : 4;
        expect([role, privilege, run.code, writes(cluster, since)]).toEqual([
          role,
          privilege,
          expectedCode,
          [],
        ]);
      }
    }
  }
  expect(refused).toBeGreaterThan(1);
});
