/** VMmanager 6 through the command line: what its connections may be used for, and how balance moves guests there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ProcessSignal } from '../../src/commands/io.ts';
import type { Connect } from '../../src/lib/proxmox/transports/types.ts';
import {
  runCli,
  scenario,
  startCluster,
  workFolder,
  writeFiles,
  type RunOptions,
  type RunOutcome,
} from './harness.ts';
import { inProcess } from '../../src/lib/proxmox/transports/in-process.ts';
import { Mortal } from '../mortal.ts';
import { balanceOn, node, overloaded, startInstallation, vm, type Installation } from './installations.ts';
import { resultErrors } from './result-schema.ts';

const CONNECTIONS = `
vmm:
  platform: vmmanager6
  host: vmmanager.example
  email: balancer@example.com
  password: top-secret
`;

test('every command but balance and connections says that this is no Proxmox VE, and contacts nothing', async () => {
  const folder = workFolder();
  writeFiles(folder, { 'connections.yml': CONNECTIONS, 'users.yml': 'users: [anna@pve]\n' });
  const at = ['--connections', join(folder, 'connections.yml'), '--output', 'json'];
  for (const command of [
    ['status'],
    ['bridges', 'list'],
    ['users', 'list', '-u', join(folder, 'users.yml')],
    ['cleanup', '--lab', 'x'],
    ['templates', 'list'],
  ]) {
    const { code, stdout } = await runCli([...command, ...at], undefined);
    expect([command, code]).toEqual([command, 2]);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'PLATFORM' } });
  }
  const { code, stdout } = await runCli(['connections', 'list', ...at], undefined);
  expect(code).toBe(0);
  expect(stdout).not.toContain('top-secret');
  expect(JSON.parse(stdout)).toMatchObject({
    connections: [
      {
        name: 'vmm',
        platform: 'vmmanager6',
        hosts: ['vmmanager.example:443'],
        login: { kind: 'password', id: 'balancer@example.com' },
      },
    ],
  });
});

test('simulate serves the stand-in, of which it keeps no state', async () => {
  const folder = workFolder();
  writeFiles(folder, { 'v.yml': 'platform: vmmanager6\nclusters: [{ id: 1, name: a }]\nnodes: []\n' });
  const kept = ['--simulate-state', join(folder, 'state')];
  const { code, stderr } = await runCli(['simulate', join(folder, 'v.yml'), ...kept], undefined);
  expect([code, stderr]).toEqual([2, expect.stringContaining('keeps a simulated Proxmox VE only')]);
});

test('keys that mean nothing there are named, all at once', async () => {
  const folder = workFolder();
  writeFiles(folder, {
    'connections.yml': `vmm: { platform: vmmanager6, host: [a, b], user: root@pam, time_zone: Mars/Olympus, operators: [x@pve] }\n`,
  });
  const { code, stderr } = await runCli(
    ['connections', 'list', '--connections', join(folder, 'connections.yml')],
    undefined,
  );
  expect(code).toBe(2);
  for (const word of ['user', 'operators', 'host', 'email', 'password', 'time_zone'])
    expect(stderr).toContain(`vmm.${word}`);
});

interface Result {
  readonly plan: {
    readonly balance: {
      readonly verdict: string;
      readonly platform?: string;
      readonly gaps?: readonly string[];
      readonly moves: readonly { readonly name: string; readonly to: string; readonly reason: string }[];
      readonly rejected: readonly {
        readonly vmids: readonly number[];
        readonly code: string;
        readonly reason: string;
        readonly targets?: readonly { readonly code: string; readonly nodes: readonly string[] }[];
      }[];
    };
  };
  readonly summary: {
    readonly status: string;
    readonly moves: readonly {
      readonly status: string;
      readonly error?: { readonly code: string; readonly message: string };
    }[];
  };
}

function resultOf({ stdout }: RunOutcome): Result {
  expect(resultErrors(stdout)).toEqual([]);
  return JSON.parse(stdout) as Result;
}

const json = ['--output', 'json'];
/** What moved first belongs where it came from. */
const GO_BACK =
  'overload: { memory: 99 }\ntarget: { memory: 98 }\nexclude: { source: [node1] }\nrules: { affinity: [{ names: [vm101, vm102] }] }\n';
const SMALLER = [101, 102, 103, 104].map((id) => vm(id, 1, { memory_mib: 14 * 1024 }));
const posts = ({ requests }: Installation): number =>
  requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/migrate')).length;

function evacuate(
  { folder, time, connect }: Installation,
  name: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<RunOutcome> {
  return runCli(
    ['balance', 'evacuate', name, '--connections', join(folder, 'connections.yml'), ...args],
    undefined,
    { clock: time.clock, connect, ...options },
  );
}

describe('an overloaded node', () => {
  test('dry: nothing is written; then one moves, and nothing is left to do; the login runs out meanwhile', async () => {
    const installation = startInstallation(overloaded({ token_seconds: 30 }));
    const dry = await balanceOn(installation, ['--dry-run', '--detailed-exitcode']);
    expect([dry.code, posts(installation)]).toEqual([6, 0]);
    expect(dry.stdout).toContain('memory 100 % > 80 %');
    const first = await balanceOn(installation, json);
    expect([first.code, first.stderr]).toEqual([0, expect.any(String)]);
    const { plan, summary } = resultOf(first);
    expect(plan.balance).toMatchObject({ verdict: 'moves', platform: 'vmmanager6' });
    expect(summary).toMatchObject({ status: 'done', moves: [{ status: 'moved' }] });
    expect(installation.places()).toEqual({ 101: 2, 102: 1, 103: 1, 104: 1 });
    // One login for each command, and one after it had run out.
    expect(installation.logins()).toBeGreaterThan(2);
    const before = posts(installation);
    const second = await balanceOn(installation);
    expect([second.code, posts(installation)]).toEqual([0, before]);
  });

  test.each(['before', 'after'] as const)(
    'an answer that is lost %s the order is looked up: it moves once',
    async (when) => {
      const path = '/vm/v3/host/{id}/migrate';
      const faults = [{ method: 'POST', path, nth: 1, action: `drop-${when}` }] as const;
      const installation = startInstallation(overloaded({ faults }));
      const { code, stdout } = await balanceOn(installation, json);
      expect([code, stdout]).toEqual([0, expect.stringContaining('"status": "moved"')]);
      expect(posts(installation)).toBe(when === 'after' ? 1 : 2);
      expect(Object.values(installation.places()).filter((at) => at === 2)).toHaveLength(1);
    },
  );

  test('a run that is killed at its order: the next one neither repeats nor reverses it', async () => {
    // Nobody tells where to it goes: a second one on top would be too much for either node.
    const small = overloaded({ nodes: [node(1), node(2, { memory_gib: 32 }), node(3, { memory_gib: 16 })] });
    for (const [phase, later] of [
      ['before', 0],
      ['after', 0],
      ['after', 5000],
    ] as const) {
      const mortal = new Mortal();
      const installation = startInstallation(small, ({ n, phase: at }) => {
        if (n === 1 && at === phase) mortal.die();
      });
      const killed = balanceOn(installation, [], { mortal });
      await Promise.race([killed, mortal.death]);
      await installation.time.sleep(later);
      for (let run = 0; run < 3; run += 1) {
        const { code } = await balanceOn(installation, json);
        expect([phase, code]).toEqual([phase, 0]);
        await installation.time.sleep(300_000);
      }
      const accepted = installation.requests.filter(
        ({ method, path, status }) => method === 'POST' && path.endsWith('/migrate') && status === 200,
      );
      expect([phase, accepted.length]).toEqual([phase, 1]);
      expect(installation.places()).toEqual({ 101: 2, 102: 1, 103: 1, 104: 1 });
      mortal.bury();
      await killed;
    }
  });

  test('a migration that fails, and one that takes too long, are told; both guests are left alone', async () => {
    const path = '/vm/v3/host/{id}/migrate';
    const faults = [
      { method: 'POST', path, nth: 1, action: 'task-fail', text: 'no space left on device' },
    ] as const;
    const installation = startInstallation(overloaded({ faults }));
    const failed = await balanceOn(installation, json);
    expect(failed.code).toBe(5);
    const [move] = resultOf(failed).summary.moves;
    expect(move?.error).toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining('no space left'),
    });
    writeFiles(installation.folder, { 'b.yml': 'migration_timeout: 10\n' });
    const slow = await balanceOn(installation, [...json, '-c', join(installation.folder, 'b.yml')]);
    expect(slow.code).toBe(5);
    const result = resultOf(slow);
    expect(result.summary.moves[0]?.error).toMatchObject({ code: 'MIGRATION_TIMEOUT' });
    const codes = result.plan.balance.rejected.map(({ vmids, code }) => [vmids[0], code]);
    expect(codes).toContainEqual([101, 'blacklist']);
    // It goes on, and is enough.
    const third = await balanceOn(installation, [...json, '--dry-run']);
    expect(resultOf(third).plan.balance).toMatchObject({ moves: [], inFlight: [{ vmid: 102 }] });
    expect(resultOf(third).plan.balance).not.toHaveProperty('inFlight.0.from');
  });
});

describe('what the installation says', () => {
  test('obstacles, clusters and its own word are heeded', async () => {
    const installation = startInstallation({
      platform: 'vmmanager6',
      clusters: [
        { id: 1, name: 'kvm' },
        { id: 2, name: 'lab' },
      ],
      nodes: [
        node(1, { qemu_version: '7.1.0-1ubuntu1' }),
        node(2, { qemu_version: '6.2.0' }),
        node(3, { qemu_version: '7.2', maintenance: true }),
        node(4, { creation_blocked: true }),
        node(5, { unsuitable: true }),
        node(6, { host_limit: 1 }),
        node(7, { cluster: 2 }),
        node(8, { state: 'failed' }),
      ],
      guests: [
        vm(101, 1, { iso: true }),
        vm(102, 1, { snapshots: 2 }),
        vm(103, 1, { balancer: false }),
        vm(104, 1),
        vm(105, 1, { state: 'stopped' }),
        vm(106, 6, { memory_mib: 1024 }),
      ],
    });
    const { code, stdout } = await balanceOn(installation, [...json, '--dry-run']);
    expect(code).toBe(0);
    const { balance } = resultOf({ code, stdout, stderr: '' }).plan;
    expect(balance.moves).toEqual([]);
    const told = Object.fromEntries(balance.rejected.map(({ vmids, code: why }) => [vmids.join(), why]));
    expect(told).toEqual({
      101: 'iso',
      102: 'snapshots',
      103: 'balancer-off',
      104: 'no-target',
      105: 'state',
    });
    const targets = balance.rejected.find(({ code: why }) => why === 'no-target')?.targets ?? [];
    expect(Object.fromEntries(targets.map(({ code: why, nodes }) => [nodes.join(), why]))).toEqual({
      node2: 'version',
      node3: 'maintenance',
      node4: 'closed',
      node5: 'veto',
      node6: 'max-guests',
      node8: 'offline',
    });
  });

  test('clusters by number or name; a number that nobody knows is refused', async () => {
    const installation = startInstallation();
    const one = await balanceOn(installation, ['--dry-run', '--cluster-ids', 'kvm', ...json]);
    expect(resultOf(one).plan.balance.moves).toHaveLength(1);
    const none = await balanceOn(installation, ['--dry-run', '--cluster-ids', '7', ...json]);
    expect([none.code, none.stdout]).toEqual([3, expect.stringContaining('NO_SUCH_CLUSTER')]);
  });

  test('a version without targets, tasks by list and modes is balanced all the same; times of another zone are told', async () => {
    const installation = startInstallation(
      overloaded({
        without: ['balancer_mode', 'target-form', 'task-list'],
        utc_offset_hours: 3,
        guests: SMALLER,
      }),
    );
    const first = await balanceOn(installation, json);
    expect([first.code, resultOf(first).summary.status]).toEqual([0, 'done']);
    writeFiles(installation.folder, { 'b.yml': GO_BACK });
    const second = await balanceOn(installation, [...json, '-c', join(installation.folder, 'b.yml')]);
    expect(resultOf(second).plan.balance).toMatchObject({
      moves: [],
      gaps: expect.arrayContaining([expect.stringContaining('3 h ahead of UTC: set time_zone')]) as unknown,
    });
  });

  test('a node is emptied, and what cannot leave is told', async () => {
    const installation = startInstallation(
      overloaded({ guests: [vm(101, 1, { memory_mib: 4096 }), vm(102, 1, { memory_mib: 4096, iso: true })] }),
    );
    const outcome = await evacuate(installation, 'node1', json);
    expect(outcome.code).toBe(5);
    expect(installation.places()).toEqual({ 101: 2, 102: 1 });
  });

  const GUESTS = [101, 102, 103].map((id) => vm(id, 1, { memory_mib: 4096 }));
  const each = GUESTS.flatMap((_, at) => [
    { nth: at + 1, when: 'before' as const },
    { nth: at + 1, when: 'after' as const },
  ]);

  function expectEmptied(installation: Installation, which: unknown): void {
    const orders = GUESTS.map(({ id }) => installation.ordered(id));
    const stayed = GUESTS.filter(({ id }) => installation.places()[id] === 1);
    expect({ which, orders, stayed }).toEqual({ which, orders: [1, 1, 1], stayed: [] });
  }

  test('killed at each of its orders, then the same command again: each guest is ordered once', async () => {
    for (const { nth, when } of each) {
      const mortal = new Mortal();
      const installation = startInstallation(overloaded({ guests: GUESTS }), ({ n, phase }) => {
        if (n === nth && phase === when) mortal.die();
      });
      const killed = evacuate(installation, 'node1', [], { mortal });
      await Promise.race([killed, mortal.death]);
      await installation.time.sleep(300_000);
      const again = await evacuate(installation, 'node1');
      expect([nth, when, again.code]).toEqual([nth, when, 0]);
      expectEmptied(installation, { nth, when });
      mortal.bury();
      await killed;
    }
  });

  test('each order lost, its answer or the request itself: each guest is ordered once', async () => {
    for (const { nth, when } of each) {
      const path = '/vm/v3/host/{id}/migrate';
      const faults = [{ method: 'POST', path, nth, action: `drop-${when}` }] as const;
      const installation = startInstallation(overloaded({ guests: GUESTS, faults }));
      const run = await evacuate(installation, 'node1');
      expect([nth, when, run.code]).toEqual([nth, when, 0]);
      expectEmptied(installation, { nth, when });
    }
  });
});

describe('without a history of its own', () => {
  test('guests are left alone, unless a state file remembers; a killed run is remembered, too', async () => {
    const installation = startInstallation(overloaded({ without: ['history'], guests: SMALLER }));
    const none = await balanceOn(installation, json);
    expect(resultOf(none).plan.balance).toMatchObject({
      moves: [],
      gaps: expect.arrayContaining([expect.stringContaining('--state-file')]) as unknown,
    });
    const kept = [...json, '--state-file', join(installation.folder, 'history.json')];
    const first = await balanceOn(installation, kept);
    expect(resultOf(first).summary.moves).toMatchObject([{ status: 'moved' }]);
    writeFiles(installation.folder, { 'b.yml': GO_BACK, 'c.yml': `${GO_BACK}cooldown: 1\nwindow: 60\n` });
    const inFolder = (name: string): string => join(installation.folder, name);
    const held = await balanceOn(installation, [...kept, '-c', inFolder('b.yml')]);
    expect(resultOf(held).plan.balance.moves).toEqual([]);
    await installation.time.sleep(60_000);
    const free = await balanceOn(installation, [...kept, '--dry-run', '-c', inFolder('c.yml')]);
    expect(resultOf(free).plan.balance.moves).toHaveLength(1);
    // A clock was set back since: neither what ended nor what a killed run left holds its guest for years.
    const history = readFileSync(inFolder('history.json'), 'utf8');
    for (const status of ['ok', 'running']) {
      const ahead = history.replaceAll(/"20\d\d-/g, '"2099-').replaceAll('"ok"', `"${status}"`);
      writeFiles(installation.folder, { 'history.json': ahead });
      const later = await balanceOn(installation, [...kept, '--dry-run', '-c', inFolder('b.yml')]);
      expect(resultOf(later).plan.balance).toMatchObject({
        moves: [{}],
        inFlight: [],
        gaps: expect.arrayContaining([expect.stringContaining('a time to come')]) as unknown,
      });
    }
    writeFiles(installation.folder, { 'history.json': '{"users": []}' });
    const bad = await balanceOn(installation, kept);
    expect([bad.code, bad.stdout]).toEqual([2, expect.stringContaining('BALANCE_STATE')]);
    // A file that could not be written is told by its name before anything moves, not by each move.
    const nowhere = inFolder('nowhere/history.json');
    const homeless = await balanceOn(installation, [...json, '--state-file', nowhere]);
    expect([homeless.code, homeless.stdout]).toEqual([
      2,
      expect.stringContaining('its folder does not exist'),
    ]);
    expect(homeless.stdout).toContain(nowhere);
  });
});

test('what a killed run wrote into the state file counts where it goes, whoever else is to move', async () => {
  const mortal = new Mortal();
  const installation = startInstallation(
    overloaded({
      nodes: [node(1), node(2, { memory_gib: 32 }), node(3, { creation_blocked: true })],
      guests: [101, 102, 103, 104].map((id) => vm(id, 1)).concat(vm(105, 3)),
    }),
    ({ phase }) => {
      if (phase === 'after') mortal.die();
    },
  );
  const kept = [...json, '--state-file', join(installation.folder, 'history.json')];
  const killed = evacuate(installation, 'node3', kept, { mortal });
  await Promise.race([killed, mortal.death]);
  await installation.time.sleep(5000);
  const { plan } = resultOf(await balanceOn(installation, kept));
  expect(plan.balance).toMatchObject({ moves: [], inFlight: [{ vmid: 105, from: 'node3', to: 'node2' }] });
  mortal.bury();
  await killed;
});

test('rows that cannot be read are named, and what depends on them is left alone', async () => {
  const installation = startInstallation(
    overloaded({
      nodes: [node(1), node(2), node(3)],
      guests: [...overloaded().guests!, vm(105, 2), vm(106, 3)],
    }),
  );
  const damage: Record<string, (row: Record<string, unknown>) => unknown> = {
    '/vm/v3/host': (row) =>
      row['id'] === 105 ? { ...row, cpu_number: 'many' } : row['id'] === 106 ? { name: 'x' } : row,
    '/vm/v3/node': (row) => (row['id'] === 3 ? { ...row, ram_mib: { total: 0 } } : row),
  };
  const serve: typeof installation.serve = async (request) => {
    const answer = await installation.serve(request);
    const change = damage[request.target];
    if (!change) return answer;
    const { list } = JSON.parse(answer.body) as { list: Record<string, unknown>[] };
    return { ...answer, body: JSON.stringify({ list: list.map(change) }) };
  };
  const seen = { ...installation, connect: inProcess(serve, installation.time) };
  const gaps = [
    'VM 105 (vm105) on node node2 cannot be read: nothing leaves it, and nothing goes there',
    'a row of the list of virtual machines cannot be read',
    'the memory of node node3 is not told: nothing leaves it, and nothing goes there',
  ];
  const { plan } = resultOf(await balanceOn(seen, json));
  expect(plan.balance).toMatchObject({ moves: [], gaps: expect.arrayContaining(gaps) as unknown });
  const { stdout, stderr } = await balanceOn(seen, ['--dry-run']);
  for (const gap of gaps) expect((stdout + stderr).replaceAll(/\s+/g, ' ')).toContain(gap);
  expect(posts(installation)).toBe(0);
});

describe('logins and answers that lead nowhere', () => {
  test('a second factor, a wrong password, pages of text, cut lists: words, and never a secret', async () => {
    const half = startInstallation(overloaded({ second_factor: true }));
    const factor = await balanceOn(half);
    expect([factor.code, factor.stderr]).toEqual([4, expect.stringContaining('second factor')]);

    const other = startInstallation();
    const wrong = await balanceOn({ ...other, folder: half.folder }, [], {});
    expect(wrong.code).toBe(0);
    writeFiles(half.folder, {
      'connections.yml': 'vmm: { platform: vmmanager6, host: v, email: a@b.c, password: hush-hush-hush }\n',
    });
    const refused = await balanceOn(half);
    expect([refused.code, refused.stderr]).toEqual([
      4,
      expect.stringContaining('the login of a@b.c is refused'),
    ]);
    expect(refused.stderr).not.toContain('hush');

    const asleep = startInstallation(
      overloaded({ faults: [{ path: '/vm/v3/node', action: 'fail', status: 503, nth: 1 }] }),
    );
    expect((await balanceOn(asleep, ['--dry-run'])).code).toBe(0);
    const denied = startInstallation(
      overloaded({ faults: [{ path: '/vm/v3/host', action: 'fail', status: 403, text: 'no' }] }),
    );
    expect((await balanceOn(denied, json)).stdout).toContain('PERMISSION_DENIED');
  });

  test.each([
    ['<html>secret simulated-password</html>', 'VMMANAGER_ERROR'],
    ['[1, 2', 'VMMANAGER_ERROR'],
    ['{"list": {"a": 1}}', 'VMMANAGER_LIST'],
    ['{"list": [], "size": 4}', 'VMMANAGER_LIST'],
    ['{"list": [{"id": -1}, null, {"id": 1e300, "name": "x"}, 7]}', 'NO_TARGET_NODE'],
    ['"text"', 'VMMANAGER_ERROR'],
  ])('%s', async (body, code) => {
    const installation = startInstallation();
    const serve: typeof installation.serve = async (request) => {
      const answer = await installation.serve(request);
      return request.target === '/vm/v3/node' ? { ...answer, body } : answer;
    };
    const connect = inProcess(serve, installation.time);
    const outcome = await balanceOn({ ...installation, connect }, json);
    expect(outcome.code).toBeGreaterThan(2);
    expect(outcome.stdout).toContain(code);
    expect(outcome.stdout + outcome.stderr).not.toContain('simulated-password');
    expect(posts(installation)).toBe(0);
  });
});

describe("the VM Balancer's env-file", () => {
  /** Everything that its example has, comments behind values included. */
  const envOf = ({ credentials: { email, password } }: Installation): string => `
VMMANAGER_HOST=https://vmm.example
VMMANAGER_USERNAME=${email}
VMMANAGER_PASSWORD=${password}
BALANCE_INTERVAL=600  # ten minutes
CLUSTER_IDS=1  # only this one
MAX_MIGRATIONS_PER_CYCLE=1
MIGRATION_TIMEOUT=3600
CPU_OVERLOAD_THRESHOLD=7.0
MEMORY_OVERLOAD_THRESHOLD=70.0
CPU_TARGET_THRESHOLD=6.0
MEMORY_TARGET_THRESHOLD=80.0
EXCLUDE_SOURCE_NODES=
EXCLUDE_TARGET_NODES=3
LOG_LEVEL=INFO
VERIFY_SSL=true
SSH_ENABLED=false
SSH_USERNAME=
SSH_PRIVATE_KEY_PATH=
SSH_PASSWORD=
SSH_TIMEOUT=10
SSH_HOSTS_MAPPING=
TELEGRAM_BOT_TOKEN=
TELEGRAM_CHAT_ID=
`;

  test('runs unchanged: dry and real, once and by interval; its numbers of nodes are names here', async () => {
    const nodes = [node(1), node(3), node(2)];
    const installation = startInstallation(overloaded({ nodes }));
    writeFiles(installation.folder, { '.env': envOf(installation) });
    const from = ['--env-file', join(installation.folder, '.env')];
    const dry = await balanceOn(installation, [...from, '--dry-run', '--once', ...json]);
    expect([dry.code, posts(installation)]).toEqual([0, 0]);
    expect(resultOf(dry).plan.balance.moves).toMatchObject([{ to: 'node2' }]);
    expect(dry.stderr).not.toContain('has no meaning');

    let send: (signal: ProcessSignal) => void = () => undefined;
    const record = join(installation.folder, 'run.log');
    const running = balanceOn(installation, [...from, ...json, '--log-file', record], {
      onSignaller: (signaller) => {
        send = signaller;
      },
    });
    // Two rounds of at most one migration each; then it is told to end.
    await installation.time.sleep(1_500_000);
    send('SIGTERM');
    const ended = await running;
    expect(ended.code).toBe(0);
    expect(ended.stdout.trim().split('\n').length).toBeGreaterThanOrEqual(2);
    expect(Object.values(installation.places()).sort()).toEqual([1, 1, 2, 2]);
    const log = readFileSync(record, 'utf8');
    expect(log.match(/"event":"step.succeeded".* from node1 to node2/g)).toHaveLength(2);
    expect(ended.stdout + ended.stderr + log).not.toContain(installation.credentials.password);
  });

  test('in Russian; thresholds of the command line win', async () => {
    const installation = startInstallation();
    writeFiles(installation.folder, { '.env': `${envOf(installation)}VM_BALANCER_LANG=ru\n` });
    const from = ['--env-file', join(installation.folder, '.env'), '--dry-run'];
    const dry = await balanceOn(installation, from);
    expect(dry.stdout).toContain('пробный запуск: намечено переносов: 1');
    expect(dry.stdout).toContain('память 100 % > 70 %');
    const flags = ['--memory-overload', '101', '--memory-target', '90'];
    const bad = await balanceOn(installation, [...from, ...flags]);
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('--memory-overload')]);
    const cpu = await balanceOn(installation, [
      ...[...from, ...json, '--memory-overload', '100', '--memory-target', '99'],
      ...['--cpu-overload', '0.8', '--cpu-target', '0.7'],
    ]);
    expect(resultOf(cpu).plan.balance.moves[0]?.reason).toContain('virtual CPUs per core 1.00 > 0.80');
  });
});

test('clusters of Proxmox VE and installations of VMmanager in one run', async () => {
  const installation = startInstallation();
  const cluster = await startCluster({ scenario: scenario() });
  const { tokenId, secret } = cluster.credentials;
  const [user, name] = tokenId.split('!');
  const { email, password } = installation.credentials;
  writeFiles(installation.folder, {
    'connections.yml': `
vmm: { platform: vmmanager6, host: vmm.example, email: ${email}, password: ${password} }
pve: { host: '127.0.0.1:${cluster.port}', user: '${user!}', token_name: '${name!}', token_value: '${secret}' }
`,
  });
  const connect: Connect = (host, options) =>
    host.hostname === 'vmm.example'
      ? installation.connect(host, options)
      : inProcess(cluster.serve, cluster.time)(host, options);
  const { code, stdout } = await runCli(
    [
      ...['balance', '--connection', 'vmm,pve', '--dry-run', ...json],
      ...['--connections', join(installation.folder, 'connections.yml')],
    ],
    undefined,
    // Neither waits for the other's time: a dry run of both has no timers but those of requests.
    { clock: installation.time.clock, connect },
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    connections: [
      { connection: 'vmm', plan: { balance: { platform: 'vmmanager6' } } },
      { connection: 'pve', plan: { command: 'balance' } },
    ],
  });
});
