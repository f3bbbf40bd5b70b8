/** Going back to a snapshot asks for no right on the bridges it brings back: none of them may be somebody else's by then. */
import { describe, expect, test } from 'vitest';
import type { Caller } from '../simulator/harness.ts';
import { scenario, startCluster, writes, type Cluster } from './harness.ts';
import { admin, person, room } from './people.ts';

const lab = (networks: string, { name = 'net', role = 'student' } = {}) =>
  `name: ${name}\naccess: {role: ${role}}\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [${networks}] }]\n`;

const FILES = {
  'lab.yml': lab('{bridge: hq}, {bridge: dmz}'),
  'less.yml': lab('{bridge: hq}'),
  'users.yml': 'users: [anna@pve]\n',
  'both.yml': 'users: [anna@pve, carl@pve]\n',
};
const DEPLOY = (files: string) => `deploy ${files} --node pve1 --strategy specific`;
const AT = '/nodes/pve1/qemu/10000';

const bridgesOn = (cluster: Cluster, node = 'pve1') =>
  Object.keys(cluster.snapshot().nodes.find(({ name }) => name === node)?.running ?? {})
    .filter((iface) => /^vmbr\d{4}$/.test(iface))
    .sort();

async function cardsOf(cluster: Cluster, vmid: number, node = 'pve1'): Promise<string[]> {
  const values = (await admin(cluster).ok('GET', `/nodes/${node}/qemu/${vmid}/config`)) as Record<
    string,
    string
  >;
  return Object.entries(values)
    .filter(([key]) => /^net\d$/.test(key))
    .map(([, value]) => /bridge=(\w+)/.exec(value)?.[1] ?? '')
    .sort();
}

/** Both leave no more trace in the machine's configuration than `parent`, and the second not even that. */
const WAYS: readonly [string, (anna: Caller, drop: () => Promise<void>) => Promise<void>][] = [
  [
    'one snapshot',
    async (anna, drop) => {
      expect(await anna.task('POST', `${AT}/snapshot`, { snapname: 'kept' })).toBe('OK');
      await drop();
    },
  ],
  [
    'one of which the configuration does not tell',
    async (anna, drop) => {
      expect(await anna.task('POST', `${AT}/snapshot`, { snapname: 'first' })).toBe('OK');
      expect(await anna.task('POST', `${AT}/snapshot`, { snapname: 'kept' })).toBe('OK');
      expect(await anna.task('POST', `${AT}/snapshot/first/rollback`)).toBe('OK');
      expect(await anna.task('DELETE', `${AT}/snapshot/first`)).toBe('OK');
      await drop();
      expect(await anna.ok('GET', `${AT}/config`)).not.toHaveProperty('parent');
    },
  ],
];

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version) => {
  test.each(WAYS)('%s keeps its bridges, so that nobody else gets their numbers', async (_, take) => {
    const cluster = await startCluster({ scenario: scenario({ version }) });
    const { run } = room(FILES);
    expect((await run(cluster, DEPLOY('-c @lab.yml -u @users.yml'))).code).toBe(0);
    const anna = await person(cluster, 'anna@pve');
    await take(anna, async () => {
      expect((await run(cluster, DEPLOY('-c @less.yml -u @users.yml'))).code).toBe(0);
    });
    expect(await cardsOf(cluster, 10000)).toEqual(['vmbr1000']);
    await cluster.time.sleep(3 * 3600_000);
    const pruned = await run(cluster, 'bridges prune');
    expect(pruned.stdout).toContain('vmbr1001 (anna@pve net dmz) stays: a snapshot of guest 10000 names it');
    expect(bridgesOn(cluster)).toEqual(['vmbr1000', 'vmbr1001']);
    const listed = await run(cluster, 'bridges list --node pve1');
    expect(listed.stdout).toMatch(/vmbr1001 .*dmz +snapshot of 10000$/m);
    expect((await run(cluster, DEPLOY('-c @less.yml -u @both.yml'))).code).toBe(0);
    expect(await anna.task('POST', `${AT}/snapshot/kept/rollback`)).toBe('OK');
    const [hers, his] = [await cardsOf(cluster, 10000), await cardsOf(cluster, 10001)];
    expect(hers).toEqual(['vmbr1000', 'vmbr1001']);
    expect(hers).not.toContain(his[0]);
  });

  test('a number that a snapshot names is given to nobody, when an administrator has removed its bridge', async () => {
    const cluster = await startCluster({ scenario: scenario({ version }) });
    const { run } = room(FILES);
    await run(cluster, DEPLOY('-c @lab.yml -u @users.yml'));
    const anna = await person(cluster, 'anna@pve');
    await anna.task('POST', `${AT}/snapshot`, { snapname: 'kept' });
    await run(cluster, DEPLOY('-c @less.yml -u @users.yml'));
    await admin(cluster).ok('DELETE', '/nodes/pve1/network/vmbr1001');
    await admin(cluster).task('PUT', '/nodes/pve1/network');
    expect(bridgesOn(cluster)).toEqual(['vmbr1000']);
    const deployed = await run(cluster, DEPLOY('-c @less.yml -u @both.yml'));
    expect([deployed.code, bridgesOn(cluster)]).toEqual([0, ['vmbr1000', 'vmbr1002']]);
  });

  test('the bridges of a lab that goes stay while a snapshot of another lab’s machine names them', async () => {
    const cluster = await startCluster({ scenario: scenario({ version }) });
    const { run } = room({
      ...FILES,
      'other.yml': lab('{bridge: hq}', { name: 'other' }),
    });
    await run(cluster, DEPLOY('-c @less.yml -u @users.yml'));
    await run(cluster, DEPLOY('-c @other.yml -u @users.yml'));
    // The administrator plugs it in for a moment; the student keeps that moment.
    const [other, at] = ['vmbr1001', '/nodes/pve1/qemu/10001'];
    expect(await cardsOf(cluster, 10001)).toEqual([other]);
    await admin(cluster).ok('PUT', `${at}/config`, { net1: 'virtio,bridge=vmbr1000' });
    const anna = await person(cluster, 'anna@pve');
    await anna.task('POST', `${at}/snapshot`, { snapname: 'kept' });
    await admin(cluster).ok('PUT', `${at}/config`, { delete: 'net1' });
    await cluster.time.sleep(15_000);
    const cleaned = await run(cluster, 'cleanup -c @less.yml -u @users.yml');
    expect(cleaned.stdout).toContain('bridge vmbr1000 on pve1 stays: a snapshot of guest 10001 names it');
    expect(bridgesOn(cluster)).toEqual(['vmbr1000', other]);
    await cluster.time.sleep(3 * 3600_000);
    await run(cluster, 'bridges prune');
    expect(bridgesOn(cluster)).toEqual(['vmbr1000', other]);
    expect(await anna.task('DELETE', `${at}/snapshot/kept`)).toBe('OK');
    await run(cluster, 'bridges prune');
    expect(bridgesOn(cluster)).toEqual([other]);
  });

  test('snapshots that cannot be read may name any bridge', async () => {
    const path = `${AT}/snapshot`;
    const faults = [{ method: 'GET', path, action: 'fail', status: 403, text: 'no' } as const];
    const cluster = await startCluster({ scenario: scenario({ version, faults }) });
    const { run } = room(FILES);
    await run(cluster, DEPLOY('-c @lab.yml -u @users.yml'));
    await run(cluster, DEPLOY('-c @less.yml -u @users.yml'));
    await cluster.time.sleep(3 * 3600_000);
    const pruned = await run(cluster, 'bridges prune');
    expect(pruned.stdout).toContain(
      'vmbr1001 (anna@pve net dmz) stays: guest 10000 of the node cannot be read',
    );
    const seen = cluster.requests.length;
    const deployed = await run(cluster, DEPLOY('-c @less.yml -u @both.yml'));
    expect([deployed.code, deployed.stdout]).toEqual([5, expect.stringContaining('[GUESTS_UNREADABLE]')]);
    expect(writes(cluster, seen)).not.toContain('POST /nodes/pve1/network');
  });
});
