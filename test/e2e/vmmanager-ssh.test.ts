/** Load averages and QEMU versions of VMmanager's nodes over SSH, with the VM Balancer's own env-file. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { areTalking, keyPair, startSshServer, type KeyPair, type SshServer } from '../ssh/ssh-server.ts';
import { runCli, writeFiles } from './harness.ts';
import { balanceOn, node, overloaded, startInstallation, vm, type Installation } from './installations.ts';
import { resultErrors } from './result-schema.ts';

const HOST = keyPair();
const OWN = keyPair();
const SMALL = { memory_mib: 1024 };

interface Farm extends Installation {
  readonly servers: readonly SshServer[];
  readonly args: readonly string[];
}

/** What node `id` answers, or how it does not. */
type Answers = Readonly<
  Record<number, { readonly qemu?: string; readonly answer?: 'hang'; readonly key?: KeyPair }>
>;

/** Four machines on the first of three nodes, and on each node a server that tells a load of 6.5 for each machine. */
async function startFarm(answers: Answers): Promise<Farm> {
  const servers: SshServer[] = [];
  const farm: { now?: Installation } = {};
  for (const id of [1, 2, 3]) {
    const { qemu = '7.2.0', answer, key = HOST } = answers[id] ?? {};
    const load = (): string => {
      const here = Object.values(farm.now?.places() ?? {}).filter((at) => at === id).length;
      return `${(6.5 * here).toFixed(2)} 0.20 0.10 1/123 4567\nQEMU emulator version ${qemu} (Debian)\n`;
    };
    servers.push(await startSshServer({ hostKeys: [key], answer: answer ?? load }));
  }
  const nodes = servers.map(({ port }, at) => node(at + 1, { ip: '127.0.0.1', port, qemu_version: '7.2.0' }));
  const guests = [101, 102, 103, 104].map((id) => vm(id, 1, SMALL));
  const installation = startInstallation(overloaded({ nodes, guests }), undefined, {
    isBusy: () => areTalking(...servers),
  });
  farm.now = installation;
  const { email, password } = installation.credentials;
  writeFiles(
    installation.folder,
    {
      key: OWN.private,
      known_hosts: servers.map(({ port }) => `[127.0.0.1]:${port} ${HOST.public}\n`).join(''),
      '.env': `VMMANAGER_HOST=https://vmm.example
VMMANAGER_USERNAME=${email}
VMMANAGER_PASSWORD=${password}
CPU_OVERLOAD_THRESHOLD=1.5
CPU_TARGET_THRESHOLD=1.2
SSH_ENABLED=true
SSH_USERNAME=
SSH_PRIVATE_KEY_PATH=${join(installation.folder, 'key')}
SSH_PASSWORD=hush-hush-hush
SSH_TIMEOUT=10
SSH_KNOWN_HOSTS=${join(installation.folder, 'known_hosts')}
`,
    },
    0o600,
  );
  return { ...installation, servers, args: ['--env-file', join(installation.folder, '.env')] };
}

interface Told {
  readonly plan: {
    readonly balance: {
      readonly gaps?: readonly string[];
      readonly nodes: readonly {
        readonly node: string;
        readonly before: { readonly loadPerCore?: number };
      }[];
      readonly moves: readonly { readonly to: string; readonly reason: string }[];
    };
  };
}

function told(stdout: string): Told['plan']['balance'] {
  expect(resultErrors(stdout)).toEqual([]);
  return (JSON.parse(stdout) as Told).plan.balance;
}

test('the load average per core is the measure, one command for each node; what SSH says of QEMU is an obstacle', async () => {
  const farm = await startFarm({ 2: { qemu: '6.2.0' } });
  const first = await balanceOn(farm, [...farm.args, '--output', 'json']);
  expect(first.code).toBe(0);
  const { gaps, moves, nodes } = told(first.stdout);
  expect(gaps ?? []).toEqual([]);
  expect(moves).toMatchObject([
    { to: 'node3', reason: expect.stringContaining('load per core 1.63 > 1.50') as unknown },
  ]);
  expect(nodes.map(({ before }) => before.loadPerCore)).toEqual([1.625, 0, 0]);
  expect(farm.servers.map(({ commands }) => commands.length)).toEqual([1, 1, 1]);
  // The four virtual CPUs that went took as many threads of it: the second run has nothing to do.
  const second = await balanceOn(farm, farm.args);
  expect([
    second.code,
    farm.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/migrate')).length,
  ]).toEqual([0, 1]);
  expect(second.stdout).toContain('no node is overloaded');
});

test('an unknown key and a node that hangs are gaps, told in text and JSON; all are judged by virtual CPUs then', async () => {
  const farm = await startFarm({ 2: { key: keyPair() }, 3: { answer: 'hang' } });
  const text = await balanceOn(farm, [...farm.args, '--dry-run']);
  const json = await balanceOn(farm, [...farm.args, '--dry-run', '--output', 'json']);
  expect([text.code, json.code]).toEqual([0, 0]);
  const { gaps, moves } = told(json.stdout);
  expect(gaps).toEqual([
    expect.stringMatching(
      /no load average over SSH of node2: its host key is another .* if the node was installed anew: ssh-keygen -R '\[127\.0\.0\.1\]:\d+' -f /,
    ),
    expect.stringContaining('no load average over SSH of node3: no answer within 10 s'),
  ]);
  for (const gap of gaps ?? []) expect(text.stdout).toContain(gap);
  // Its own load is known, and is too much.
  expect(moves.length).toBe(1);
  for (const out of [text.stdout, text.stderr, json.stdout, json.stderr]) expect(out).not.toContain('hush');
  expect(farm.servers[1]?.logins).toEqual([]);

  writeFiles(farm.folder, { known_hosts: '' });
  const unknown = told((await balanceOn(farm, [...farm.args, '--dry-run', '--output', 'json'])).stdout);
  expect(unknown.gaps?.join()).toMatch(
    /node1, node3: its host key is not in known_hosts .*ssh-keyscan -p \d+ 127\.0\.0\.1 >> /,
  );
  expect(unknown.moves).toEqual([]);

  writeFiles(farm.folder, { key: 'no key' });
  const none = told((await balanceOn(farm, [...farm.args, '--dry-run', '--output', 'json'])).stdout);
  expect(none.gaps).toEqual([
    expect.stringMatching(/not read over SSH \(.*key is no private key that can be used\)/),
  ]);
});

test('the settings may be those of the connection; the env-file wins, and --cpu-overload is a load then', async () => {
  const farm = await startFarm({ 2: { qemu: '6.2.0' } });
  const { email, password } = farm.credentials;
  const connection = (ssh: string): string =>
    `vmm:\n  platform: vmmanager6\n  host: vmm.example\n  email: ${email}\n  password: ${password}\n${ssh}`;
  writeFiles(
    farm.folder,
    {
      'connections.yml': connection(
        '  ssh: { user: root, key_file: key, password: env:NODES, known_hosts: known_hosts, timeout: 10 }\n',
      ),
      'off.env': 'SSH_ENABLED=false\n',
    },
    0o600,
  );
  const named = ['--dry-run', '--output', 'json'];
  const file = ['--connections', join(farm.folder, 'connections.yml')];
  const env = { NODES: 'hush-hush-hush' };
  const run = await balanceOn(farm, [...named, '--cpu-overload', '1.5', '--cpu-target', '1.2'], { env });
  expect(run.code).toBe(0);
  const { gaps, moves } = told(run.stdout);
  expect(gaps ?? []).toEqual([]);
  expect(moves).toMatchObject([
    { to: 'node3', reason: expect.stringContaining('load per core 1.63 > 1.50') as unknown },
  ]);
  expect(farm.servers.map(({ commands }) => commands.length)).toEqual([1, 1, 1]);

  const off = await balanceOn(farm, [...named, ...file, '--env-file', join(farm.folder, 'off.env')], { env });
  expect(told(off.stdout).gaps).toEqual([expect.stringMatching(/^load averages are not read: /)]);
  expect(farm.servers.map(({ commands }) => commands.length)).toEqual([1, 1, 1]);
  for (const out of [run.stdout, run.stderr, off.stdout, off.stderr]) expect(out).not.toContain('hush');

  const connections = async (words: readonly string[]) =>
    runCli(['connections', ...words, ...file], undefined, {
      ...{ clock: farm.time.clock, connect: farm.connect, env },
    });
  const tested = await connections(['test']);
  expect([tested.code, tested.stdout]).toEqual([
    0,
    expect.stringContaining('load averages over SSH: of 3 nodes'),
  ]);
  const listed = await connections(['list']);
  expect(listed.stdout).toContain('plain text, ssh.password: variable NODES');
  const json = JSON.parse((await connections(['list', '--output', 'json'])).stdout) as Record<
    string,
    unknown
  >;
  expect(json).toMatchObject({ connections: [{ ssh: { password: { kept: 'env', variable: 'NODES' } } }] });
  writeFiles(farm.folder, { known_hosts: '' });
  const failed = await connections(['test', '--output', 'json']);
  expect(failed.code).toBe(4);
  expect(JSON.parse(failed.stdout)).toMatchObject({
    connections: [{ ok: false, hosts: [{ ok: true }], ssh: { nodes: 0 }, error: { code: 'SSH_FAILED' } }],
  });
  for (const { stdout, stderr } of [tested, listed, failed]) expect(stdout + stderr).not.toContain('hush');

  const missing = await balanceOn(farm, named);
  expect([missing.code, missing.stderr]).toEqual([
    2,
    expect.stringContaining('the variable NODES is not set'),
  ]);
});
