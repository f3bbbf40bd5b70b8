import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import type { AclState, ClusterState, GuestState } from '../../src/lib/simulator/state.ts';
import { admin, putPool } from './people.ts';
import type { Version } from '../../src/lib/simulator/version.ts';
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

const LAB = `name: net
expires: 2027-03-01
placement: { strategy: specific, node: pve1 }
machines:
  - { device_type: linux, name: srv, template_vmid: 101, start: true, networks: [{ bridge: lan }] }
  - { device_type: linux, name: pc, template_vmid: 101, start: true, networks: [{ bridge: lan }] }
`;
const USERS = 'users: [anna@pve, boris@pve, vera@pve]\n';

interface Room {
  readonly files: readonly string[];
  readonly path: (name: string) => string;
}

function room(): Room {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': USERS });
  const path = (name: string) => join(folder, name);
  return { path, files: ['-c', path('lab.yml'), '-u', path('users.yml')] };
}

const deployed = new Map<Version, Promise<ClusterState>>();

async function make(version: Version): Promise<ClusterState> {
  const { files, path } = room();
  const cluster = await startCluster({ scenario: scenario({ version }) });
  const run = await runCli(
    ['deploy', ...files, '--credentials', path('c.csv'), '--progress', 'none'],
    cluster,
  );
  expect([run.code, run.stderr]).toEqual([0, expect.any(String)]);
  return cluster.snapshot();
}

/** A class of three, all machines running, two minutes later; `change` is what happened to it meanwhile. */
async function aClass(
  change: (state: ClusterState) => void = () => undefined,
  version: Version = '9.2',
): Promise<Cluster> {
  const made = deployed.get(version) ?? make(version);
  deployed.set(version, made);
  const state = structuredClone(await made);
  change(state);
  const cluster = await startCluster({ state });
  await cluster.time.sleep(120_000);
  return cluster;
}

function remove(state: ClusterState, gone: GuestState): void {
  const guests = state.guests as GuestState[]; // a copy of its own
  guests.splice(guests.indexOf(gone), 1);
}

function machine(state: ClusterState, user: string, name: string): GuestState {
  const pool = state.pools.find(({ poolid }) => poolid === user)!;
  return state.guests.find(({ vmid, config }) => pool.vms.includes(vmid) && config['name'] === name)!;
}

const validate = new Ajv({ strict: false }).compile(
  JSON.parse(readFileSync(new URL('../../schemas/status.schema.json', import.meta.url), 'utf8')) as object,
);

interface Document {
  readonly problems: readonly { readonly kind: string; readonly user?: string; readonly hint: string }[];
  readonly labs: readonly {
    readonly lab: string;
    readonly stands: readonly {
      readonly user: string;
      readonly running: number;
      readonly access: string;
      readonly machines: readonly { readonly addresses?: unknown }[];
    }[];
  }[];
}

async function documentOf(cluster: Cluster, ...argv: readonly string[]): Promise<Document> {
  const run = await runCli(['status', '--output', 'json', ...argv], cluster);
  const document: unknown = JSON.parse(run.stdout);
  expect([validate(document), validate.errors]).toEqual([true, null]);
  return document as Document;
}

const kinds = ({ problems }: Document) => problems.map(({ kind, user }) => `${kind} ${user ?? ''}`.trim());

describe.each<Version>(['7.4', '8.4', '9.2'])('%s', (version) => {
  test('a class at work: everything runs, nothing is wrong, nothing is written', async () => {
    const cluster = await aClass(undefined, version);
    const document = await documentOf(cluster, '--check');
    expect(document.problems).toEqual([]);
    expect(
      document.labs.map(({ lab, stands }) => [
        lab,
        stands.map(({ user, running, access }) => `${user} ${running} ${access}`),
      ]),
    ).toEqual([['net', ['anna@pve 2 open', 'boris@pve 2 open', 'vera@pve 2 open']]]);
    expect(writes(cluster)).toEqual([]);
  });

  test('what goes wrong is told with its way out, and --check ends with 6', async () => {
    const cluster = await aClass((state) => {
      remove(state, machine(state, 'anna', 'pc'));
      machine(state, 'anna', 'srv').config['lock'] = 'snapshot';
      machine(state, 'boris', 'pc').paused = true;
      machine(state, 'boris', 'srv').halted = 'io-error';
      state.users.find(({ userid }) => userid === 'vera@pve')!.enable = false;
      const acl = state.acl as AclState[]; // as above
      acl.splice(0, acl.length, ...acl.filter(({ subject }) => subject !== 'vera@pve'));
    }, version);
    const document = await documentOf(cluster);
    expect(kinds(document)).toEqual([
      'lock-without-task anna@pve',
      'machine-missing anna@pve',
      'io-error boris@pve',
      'paused boris@pve',
      'user-disabled vera@pve',
      'no-access vera@pve',
    ]);
    expect(document.problems.every(({ hint }) => hint !== '')).toBe(true);
    const { code, stdout } = await runCli(['status', '--check', '--user', 'anna@pve'], cluster);
    expect(code).toBe(6);
    expect(stdout).toContain('run deploy again with the files of lab net and --only anna@pve');
    expect(stdout).toMatch(/way out: on pve1: `qm unlock \d+`/);
    expect(stdout).not.toContain('boris');
  });
});

describe('a pool that its admin may write', () => {
  function delegate(state: ClusterState, comment?: string): void {
    const acl = state.acl as AclState[]; // of a copy
    acl.push({
      path: '/pool/anna',
      role: 'PVEPoolAdmin',
      type: 'user',
      subject: 'vera@pve',
      propagate: true,
    });
    if (comment !== undefined) state.pools.find(({ poolid }) => poolid === 'anna')!.comment = comment;
  }

  test('is a problem, with the right and the way out, and no note says it again', async () => {
    const cluster = await aClass(delegate);
    const document = await documentOf(cluster);
    expect(document.problems).toEqual([
      {
        ...{ kind: 'pool-delegated', pool: 'anna', user: 'anna@pve', lab: 'net' },
        detail: 'vera@pve has PVEPoolAdmin on /pool/anna',
        message: expect.stringMatching(
          /^pool that can be written by somebody else, .*: anna@pve, lab net, pool anna: vera@pve has PVEPoolAdmin/,
        ),
        hint: expect.stringContaining('`operators:` of the connections file'),
      },
    ]);
    expect(document).toMatchObject({ notes: [] });
    const codes = ['', '--user boris@pve', '--lab net'].map(async (narrowed) => {
      const argv = narrowed.split(' ').filter((word) => word !== '');
      return (await runCli(['status', '--check', ...argv], cluster)).code;
    });
    expect(await Promise.all(codes)).toEqual([6, 0, 6]);
  });

  test('and whose mark is gone is known by its networks, until deploy has taken it over', async () => {
    const { files, path } = room();
    const cluster = await aClass((state) => delegate(state, ''));
    expect(kinds(await documentOf(cluster))).toEqual(['pool-delegated anna@pve', 'pool-mark-lost anna@pve']);
    const told = await runCli(['status', '--check', ...files], cluster);
    expect([told.code, told.stdout]).toEqual([
      6,
      expect.stringMatching(/pool anna: lan \(vmbr\d+ on\s+pve1\)/),
    ]);

    await admin(cluster).put('/access/acl', {
      ...{ path: '/pool/anna', roles: 'PVEPoolAdmin', users: 'vera@pve', delete: 1 },
    });
    expect(kinds(await documentOf(cluster))).toEqual(['pool-mark-lost anna@pve']);
    const argv = ['deploy', ...files, '--only', 'anna@pve', '--adopt', '--credentials', path('c.csv')];
    const run = await runCli(argv, cluster);
    expect([run.code, run.stdout + run.stderr]).toEqual([0, expect.any(String)]);
    expect(kinds(await documentOf(cluster))).toEqual([]);
  });
});

test('with the files at hand the way out is a command that works', async () => {
  const { files, path } = room();
  const cluster = await aClass();
  const { vmid } = machine(cluster.snapshot(), 'anna', 'pc');
  await post(cluster, `/nodes/pve1/qemu/${vmid}/status/stop`, {});
  await cluster.time.sleep(20_000);
  await post(cluster, `/nodes/pve1/qemu/${vmid}`, {}, 'admin', 'DELETE');
  await cluster.time.sleep(20_000);
  // A cleanup may be at it.
  expect((await runCli(['status', ...files], cluster)).stdout).toContain('1 being removed');
  await cluster.time.sleep(30_000);
  const { stdout } = await runCli(['status', ...files], cluster);
  const [, command = ''] = /way out: deploy-stand (deploy .*)/.exec(stdout) ?? [];
  expect(command).toBe(['deploy', ...files, '--only', 'anna@pve'].join(' '));
  const mended = await runCli([...command.split(' '), '--credentials', path('c.csv')], cluster);
  expect([mended.code, mended.stderr]).toEqual([0, expect.any(String)]);
  expect((await documentOf(cluster, ...files)).problems).toEqual([]);
});

test('an account is enabled again by what disabled it: status and deploy say the same, and it works', async () => {
  const { files, path } = room();
  const cluster = await aClass((state) => {
    state.users.find(({ userid }) => userid === 'boris@pve')!.enable = false;
  });
  const keep = ['--credentials', path('c.csv')];
  writeFiles(path(''), { 'less.yml': 'users: [anna@pve, boris@pve]\n' });
  const gone = ['users', 'sync', '-c', path('lab.yml'), '-u', path('less.yml'), '--disable', ...keep];
  expect((await runCli(gone, cluster)).code).toBe(0);
  const sync = ['users', 'sync', ...files].join(' ');
  const byHand = '`pveum user modify boris@pve --enable 1`';
  const { stdout } = await runCli(['status', ...files], cluster);
  expect(stdout).toContain(`way out: deploy-stand ${sync}\n           ${byHand}`);
  expect((await runCli(['status'], cluster)).stdout).toContain(
    'way out: `deploy-stand users sync -c lab.yml -u users.yml` enables whom the users file names',
  );
  const dry = await runCli(['deploy', ...files, '--dry-run'], cluster);
  const told = dry.stdout.replaceAll(/\s+/g, ' ');
  expect(told).toContain(
    `disabled by \`users sync --disable\`, so that nobody can log in with it: the account of vera@pve; \`deploy-stand ${sync}\` enables it again`,
  );
  expect(told).toContain(`the account of boris@pve; whoever did so enables it again: ${byHand}`);
  expect((await runCli([...sync.split(' '), ...keep], cluster)).code).toBe(0);
  const enabled = (name: string) => cluster.snapshot().users.find(({ userid }) => userid === name)?.enable;
  expect(['anna@pve', 'boris@pve', 'vera@pve'].map(enabled)).toEqual([true, false, true]);
});

test('bridges, nodes, tasks, expiry', async () => {
  const cluster = await aClass();
  await post(cluster, '/nodes/pve1/network/vmbr1000', {}, 'admin', 'DELETE');
  await post(cluster, '/nodes/pve1/network', {}, 'admin', 'PUT');
  await cluster.time.sleep(30_000);
  // A start of what runs is a task that fails.
  const { vmid } = machine(cluster.snapshot(), 'vera', 'pc');
  await post(cluster, `/nodes/pve1/qemu/${vmid}/status/start`, {});
  await cluster.time.sleep(30_000);
  expect(kinds(await documentOf(cluster))).toEqual(['bridge-missing anna@pve', 'task-failed vera@pve']);
  await cluster.time.sleep(3600_000);
  expect(kinds(await documentOf(cluster, '--since', '30m'))).toEqual(['bridge-missing anna@pve']);
});

/** As somebody else left it. */
function own<T>(list: readonly T[], at: (one: T) => boolean, change: (one: T) => T): void {
  const rows = list as T[]; // a copy of the test's own
  const index = rows.findIndex(at);
  rows[index] = change(rows[index]!);
}

test.each<[string, (state: ClusterState) => void, string[]]>([
  [
    'a bridge that is down',
    ({ nodes }) => {
      delete nodes.find(({ name }) => name === 'pve1')!.running['vmbr1001'];
    },
    ['bridge-down boris@pve'],
  ],
  [
    'a stand on two nodes',
    (state) => void (machine(state, 'anna', 'pc').node = 'pve2'),
    ['stand-torn anna@pve'],
  ],
  [
    'a machine that its student made a template',
    (state) => void (machine(state, 'anna', 'srv').config['template'] = '1'),
    ['machine-is-template anna@pve'],
  ],
  [
    'a node that is gone',
    ({ nodes }) => void (nodes.find(({ name }) => name === 'pve1')!.online = false),
    ['node-offline'],
  ],
  [
    'a node in maintenance',
    ({ nodes }) => void (nodes.find(({ name }) => name === 'pve1')!.maintenance = true),
    ['node-maintenance'],
  ],
  [
    'a storage that fills up',
    ({ storages }) =>
      own(
        storages,
        ({ content, shared }) => shared && content.includes('images'),
        (one) => ({ ...one, used: Math.ceil(0.95 * one.size) }),
      ),
    ['storage-full'],
  ],
  [
    'KVM gave up',
    (state) => void (machine(state, 'vera', 'srv').halted = 'internal-error'),
    ['internal-error vera@pve'],
  ],
])('%s', async (_, change, expected) => {
  const document = await documentOf(await aClass(change));
  expect(kinds(document)).toEqual(expected);
  expect(document.problems.every(({ hint }) => hint !== '')).toBe(true);
});

test.each([
  ['its own line', ' frozen=2026-09-01T10:00:00Z'],
  // A pool is opened and closed as a whole.
  [
    'the line of another lab in its pool',
    '\nlab=exam vms=pc:19000 node=pve1 since=2026-08-01T08:00:00Z frozen=2026-09-01T10:00:00Z',
  ],
])('frozen access is told by %s, and is no problem', async (_, line) => {
  const cluster = await aClass((state) => {
    own(
      state.pools,
      ({ poolid }) => poolid === 'boris',
      (pool) => ({ ...pool, comment: `${pool.comment}${line}` }),
    );
    const acl = state.acl as AclState[]; // as above
    acl.splice(0, acl.length, ...acl.filter(({ subject }) => subject !== 'boris@pve'));
  });
  const document = await documentOf(cluster, '--lab', 'net');
  expect(document.problems).toEqual([]);
  expect(document.labs[0]!.stands.map(({ access }) => access)).toEqual(['open', 'frozen', 'open']);
  expect((await runCli(['status', '--lab', 'net'], cluster)).stdout).toMatch(/boris@pve .* frozen/);
});

test('--drift: field by field, cards on bridges of others first; deploy tells the same', async () => {
  const { files, path } = room();
  const cluster = await aClass();
  const [anna, boris] = ['anna', 'boris'].map((user) => machine(cluster.snapshot(), user, 'pc'));
  const change = (guest: GuestState, form: Readonly<Record<string, string>>) =>
    post(cluster, `/nodes/pve1/qemu/${guest.vmid}/config`, form, 'admin', 'PUT');
  const compare = (...more: string[]) => runCli(['status', ...files, '--drift', ...more], cluster);
  const clean = await compare('--drift-exitcode', '--check');
  expect([clean.code, clean.stderr]).toEqual([0, '']);
  expect(clean.stdout).toMatch(/anna@pve .* no\n/);

  const net0 = anna!.config['net0']!.replace(/bridge=[^,]+/, 'bridge=vmbr1001');
  expect(await change(anna!, { net0 })).toBe(200);
  expect(await change(boris!, { memory: '8192' })).toBe(200);
  await cluster.time.sleep(20_000);
  expect(kinds(await documentOf(cluster, ...files, '--drift'))).toEqual(['card-on-foreign-bridge anna@pve']);
  const found = await compare('--drift-exitcode');
  const text = found.stdout.replaceAll(/\s+/g, ' ');
  expect(found.code).toBe(6);
  expect(text).toContain("card on another stand's bridge: anna@pve, lab net: pc");
  expect(text).toContain('net0 is on vmbr1001, the bridge of boris@pve, lab net, not vmbr1000');
  const before = cluster.requests.length;
  const deploy = ['deploy', ...files, '--credentials', path('c.csv'), '--dry-run'];
  const dry = await runCli([...deploy, '--drift-exitcode'], cluster);
  expect([dry.code, writes(cluster, before)]).toEqual([6, []]);
  expect(dry.stdout.replaceAll(/\s+/g, ' ')).toContain('net0 is on vmbr1001, the bridge of boris@pve');
  expect((await runCli([...deploy, '--detailed-exitcode'], cluster)).code).toBe(0);
  const without = await runCli(['status', '--drift'], cluster);
  expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('DRIFT_WITHOUT_LAB')]);
  const byName = await runCli(['status', '--drift', '--lab', 'net'], cluster);
  expect(byName.stderr).toContain('give -c lab.yml in place of --lab');

  // What waits for a stop is a change that is pending.
  writeFiles(path('.'), { 'lab.yml': LAB.replace('name: pc,', 'name: pc, cores: 3,') });
  expect((await runCli([...deploy, '--detailed-exitcode'], cluster)).code).toBe(6);
  expect((await compare()).stdout).toContain('the lab has changed since');
  // Set in a machine that runs, it is not in force before the next start: deploy has nothing more to do, and status says so.
  const update = await runCli(
    ['deploy', ...files, '--credentials', path('c.csv'), '--update-running'],
    cluster,
  );
  expect(update.stdout.replaceAll(/\s+/g, ' ')).toContain('cores change only when it is stopped and started');
  expect((await compare()).stdout.replaceAll(/\s+/g, ' ')).toContain(
    'it runs with 2 cores, and with 3 once it was stopped and started',
  );
  // That is ours, and no student's act.
  const vera = await compare('--drift-exitcode', '--only', 'vera');
  expect([vera.code, vera.stdout]).toEqual([0, expect.stringContaining('it runs with 2 cores, and with 3')]);
});

test.each([
  ['2027-03-01', 'expires-soon', '2027-02-27T00:00:00Z'],
  ['2027-03-01', 'expired', '2027-03-02T00:00:00Z'],
])('a lab that ends on %s is told as %s at %s', async (_, kind, now) => {
  const cluster = await aClass();
  await cluster.time.sleep(Date.parse(now) - cluster.now());
  expect([...new Set((await documentOf(cluster)).problems.map((one) => one.kind))]).toEqual([kind]);
});

describe('selection', () => {
  test.each([
    ['--lab', 'nett', 'did you mean net?'],
    ['--user', 'ana@pve', 'did you mean anna@pve?'],
    ['--machine', 'pcc', 'did you mean pc?'],
    ['--node', 'pve11', 'did you mean pve1?'],
  ])('%s %s is refused with what was meant', async (option, name, meant) => {
    const run = await runCli(['status', option, name], await aClass());
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining(meant)]);
  });

  test('machines and nodes narrow what is shown', async () => {
    const cluster = await aClass();
    const one = await documentOf(cluster, '--machine', 'pc', '--user', 'anna@pve', '--user', 'vera@pve');
    expect(one.labs[0]!.stands.map(({ user, running }) => `${user} ${running}`)).toEqual([
      'anna@pve 1',
      'vera@pve 1',
    ]);
    expect((await documentOf(cluster, '--node', 'pve2')).labs).toEqual([]);
  });

  test('on a cluster without stands it says so', async () => {
    const run = await runCli(['status'], await startCluster());
    expect([run.code, run.stdout]).toEqual([0, 'no stands of deploy-stand\n']);
  });
});

describe('what only the machines tell', () => {
  test('--ips: addresses; who has no agent says so; one that hangs costs 3 s, and the others nothing', async () => {
    const cluster = await aClass((state) => {
      for (const user of ['anna', 'boris', 'vera']) machine(state, user, 'pc').config['agent'] = '1';
      const stuck = machine(state, 'boris', 'pc');
      const guests = state.guests as GuestState[]; // a copy of its own
      guests.splice(guests.indexOf(stuck), 1, { ...stuck, agent: { state: 'stuck' } });
      machine(state, 'vera', 'pc').paused = true;
    });
    const before = cluster.now();
    const { stdout } = await runCli(['status', '--ips'], cluster);
    const lines = stdout.split('\n').map((line) => line.replace(/ +/g, ' '));
    const of = (user: string) => lines[lines.findIndex((line) => line.startsWith(user)) + 1];
    expect(of('anna@pve')).toMatch(/10\.\d+\.\d+\.\d+$/);
    expect(of('boris@pve')).toContain('agent does not answer');
    expect(of('vera@pve')).toContain('agent does not answer');
    expect(lines.find((line) => line.startsWith('anna@pve'))).toContain('no agent');
    expect(cluster.now() - before).toBeLessThan(4500);
    const document = await documentOf(cluster, '--ips', '--machine', 'srv');
    expect(
      document.labs[0]!.stands.every(({ machines }) =>
        machines.every(({ addresses }) => addresses === 'off'),
      ),
    ).toBe(true);
  });

  test('--snapshots: those there are, and the one that a reset goes back to', async () => {
    const cluster = await aClass();
    const { vmid } = machine(cluster.snapshot(), 'anna', 'pc');
    for (const snapname of ['baseline', 'mine']) {
      await post(cluster, `/nodes/pve1/qemu/${vmid}/snapshot`, { snapname });
      await cluster.time.sleep(60_000);
    }
    const { stdout } = await runCli(['status', '--snapshots', '--machine', 'pc'], cluster);
    expect(stdout).toMatch(/anna@pve .* baseline\* mine\n/);
    expect(stdout).toMatch(/boris@pve .* none\n/);
    await documentOf(cluster, '--snapshots');
  });

  test('--ownership: whose each machine is', async () => {
    const cluster = await aClass();
    const { vmid } = machine(cluster.snapshot(), 'anna', 'pc');
    await post(cluster, '/pools/anna', { vms: String(vmid), delete: '1' }, 'admin', 'PUT');
    const { stdout } = await runCli(['status', '--ownership'], cluster);
    expect(stdout).toMatch(/pc +\d+ +pve1 +out of its pool .* left-pool\n/);
    expect(stdout).toContain(`way out: put VM ${vmid} back into the pool of anna@pve, or remove it`);
  });

  test('without them no single machine is read', async () => {
    const cluster = await aClass();
    const before = cluster.requests.length;
    await runCli(['status', '--wide'], cluster);
    const paths = cluster.requests.slice(before).map(({ path }) => path);
    expect(paths.filter((path) => path.includes('{vmid}'))).toEqual([]);
    expect(paths.length).toBeLessThanOrEqual(3 * 3 + 10);
  });
});

test('--metrics-file: figures for a collector; a file of others is refused', async () => {
  const { path } = room();
  const cluster = await aClass((state) => remove(state, machine(state, 'anna', 'pc')));
  const run = await runCli(['status', '--metrics-file', path('stands.prom')], cluster);
  expect([run.code, run.stderr]).toEqual([0, '']);
  const text = readFileSync(path('stands.prom'), 'utf8');
  expect(text).toContain('deploy_stand_status_stands{lab="net",state="running",connection="default"} 2');
  expect(text).toContain('deploy_stand_status_stands{lab="net",state="incomplete",connection="default"} 1');
  expect(text).toContain('deploy_stand_status_machines_running{lab="net",connection="default"} 5');
  expect(text).toContain('deploy_stand_status_problems{kind="machine-missing",connection="default"} 1');
  expect(text).toMatch(/deploy_stand_status_expiry_timestamp_seconds\{lab="net",.* \d+/);
  expect(text).toMatch(/deploy_stand_status_node_memory_free_bytes\{node="pve1",.* \d+/);
  const foreign = await runCli(['status', '--metrics-file', path('lab.yml')], cluster);
  expect([foreign.code, foreign.stderr]).toEqual([2, expect.stringContaining('[METRICS_FILE]')]);
});

test('--watch: all of it once, then what changed, until a signal', async () => {
  const cluster = await aClass();
  const { vmid } = machine(cluster.snapshot(), 'anna', 'pc');
  let stop: (signal: 'SIGINT') => void = () => undefined;
  // Simulated time does not wait for a command that is still being loaded: what is done to it begins with its first word.
  const meanwhile = async (): Promise<void> => {
    await cluster.time.sleep(15_000);
    await post(cluster, `/nodes/pve1/qemu/${vmid}/status/stop`, {});
    await cluster.time.sleep(60_000);
    const { pools } = cluster.snapshot();
    const write = (text: (comment: string) => string) =>
      Promise.all(
        pools.map(({ poolid, comment }) =>
          putPool(admin(cluster), '9.2', poolid, { comment: text(comment) }),
        ),
      );
    await write((comment) => comment.replace('lab=net', 'lab=other'));
    await cluster.time.sleep(30_000);
    await write((comment) => comment);
    await cluster.time.sleep(15_000);
    stop('SIGINT');
  };
  let begun: Promise<void> | undefined;
  const { code, stdout, stderr } = await runCli(['status', '--lab', 'net', '--watch', '10'], cluster, {
    onSignaller: (send) => (stop = send),
    refuse: { stdout: () => void (begun ??= meanwhile()) },
  });
  await begun;
  expect(code).toBe(130);
  expect(stdout.match(/^lab net/gm)).toHaveLength(1);
  const [, ...changes] = stdout.split('no problems\n');
  // That nothing is new is told once after what was new: a write is what finds out that nobody reads.
  expect(changes.join('').trim()).toMatch(
    /^\S+Z nothing new\n\S+Z anna@pve, lab net: 2 running; pve1; access open -> 1 of 2 running, 1 stopped; pve1; access open\n\S+Z nothing new$/,
  );
  // A lab that is gone for a while is told once, and ends nothing.
  expect(stderr.match(/--lab net: there is no such lab/g)).toHaveLength(1);
});
