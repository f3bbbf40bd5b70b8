/** A caller that is not shown the rights on a pool cannot know who wrote its comment: the marks there count for nothing. */
import { describe, expect, test } from 'vitest';
import { scenario, startCluster, type Cluster } from './harness.ts';
import { person, putPool, room } from './people.ts';

const SECRET = '11111111-2222-3333-4444-555555555555';
const FORGED =
  'deploy-stand user=boss@pve\nlab=net vms=pc:300 node=pve1 since=2020-01-01T00:00:00Z expires=2020-02-01';
const ENV = { PVE_TOKEN_ID: 'op@pve!tk', PVE_TOKEN_SECRET: SECRET };

/** boss@pve, who administers pool staff alone, writes our mark about its mail server. */
async function forged(version: '7.4' | '8.4' | '9.2', rights: Readonly<Record<string, readonly string[]>>) {
  const roles = Object.fromEntries(Object.values(rights).map((privileges, at) => [`R${at}`, privileges]));
  const cluster = await startCluster({
    scenario: scenario({
      version,
      guests: [{ vmid: 300, name: 'mail', node: 'pve1', pool: 'staff', running: true, storage: 'ceph' }],
      users: [
        { userid: 'boss@pve' },
        { userid: 'op@pve', tokens: [{ id: 'tk', secret: SECRET, privsep: false }] },
      ],
      pools: [{ pool: 'staff', comment: 'of staff' }],
      roles,
      acl: [
        { path: '/pool/staff', role: 'PVEPoolAdmin', user: 'boss@pve' },
        ...Object.keys(rights).map((path, at) => ({ path, role: `R${at}`, user: 'op@pve' })),
      ],
    }),
  });
  const boss = await person(cluster, 'boss@pve');
  expect((await putPool(boss, version, 'staff', { comment: FORGED })).status).toBe(200);
  return cluster;
}

const mailIsOn = (cluster: Cluster) => cluster.snapshot().guests.find(({ vmid }) => vmid === 300)?.node;

const LOCK = ['Pool.Allocate', 'Pool.Audit'];
const LOOK = [
  'Pool.Audit',
  'VM.Audit',
  'Datastore.Audit',
  'Datastore.AllocateSpace',
  'SDN.Audit',
  'Sys.Audit',
];
const CLEANS = {
  '/vms': ['VM.Audit', 'VM.PowerMgmt', 'VM.Allocate', 'VM.Config.Options'],
  '/pool': ['Pool.Audit'],
  '/sdn/zones': ['SDN.Audit'],
  '/access/groups': ['User.Modify'],
  '/pool/deploy-stand-lock': LOCK,
  '/pool/class10': LOCK,
};
const BALANCES = {
  ...Object.fromEntries(
    ['/pool', '/vms', '/nodes', '/storage', '/sdn/zones'].map((path) => [path, [...LOOK, 'VM.Migrate']]),
  ),
  '/': ['Sys.Audit'],
  // Keeps what stands on / from reaching it: Sys.Audit here shows all rights.
  '/access': ['Realm.AllocateUser'],
  '/pool/deploy-stand-lock': LOCK,
  '/pool/deploy-stand-balance-lock': LOCK,
};

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version) => {
  test.each(['', ' --no-preflight', ' --keep-users'])('cleanup --expired%s', async (more) => {
    const cluster = await forged(version, CLEANS);
    const { run } = room({});
    const cleaned = await run(cluster, `cleanup --expired${more}`, ENV);
    expect(cleaned.stdout + cleaned.stderr).toContain('give the caller Sys.Audit on /access');
    expect(mailIsOn(cluster)).toBe('pve1');
  });

  test('balance asks for sight of the rights, and without it moves nothing as ours', async () => {
    const cluster = await forged(version, BALANCES);
    const { run } = room({ 'b.yml': 'guests: ours\n' });
    const refused = await run(cluster, 'balance evacuate pve1 -c @b.yml', ENV);
    expect([refused.code, refused.stdout + refused.stderr]).toEqual([
      4,
      expect.stringMatching(
        /\/access +lacks Sys\.Audit, or Pool\.Allocate or Permissions\.Modify on \/pool: to see who/,
      ),
    ]);
    const tried = await run(cluster, 'balance evacuate pve1 -c @b.yml --no-preflight', ENV);
    expect(tried.stdout + tried.stderr).toContain('pool staff may be writable for somebody else');
    expect(mailIsOn(cluster)).toBe('pve1');
  });

  test('with that sight the right is seen, and said', async () => {
    const cluster = await forged(version, { ...BALANCES, '/access': ['Sys.Audit'] });
    const { run } = room({ 'b.yml': 'guests: ours\n' });
    const balanced = await run(cluster, 'balance evacuate pve1 -c @b.yml', ENV);
    expect(balanced.stdout + balanced.stderr).toContain('boss@pve has PVEPoolAdmin on /pool/staff');
    expect(mailIsOn(cluster)).toBe('pve1');
  });
});
