/** No secret leaves by any door: every command, every kind of failure, every output, file and process title. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadPlan } from '../../src/lib/workflow/plan-file.ts';
import { HttpsTransport } from '../../src/lib/proxmox/transports/https.ts';
import type { Connect } from '../../src/lib/proxmox/transports/types.ts';
import type { WireAnswer, WireRequest } from '../../src/lib/simulator/http/exchange.ts';
import { newCertificate } from '../certificate.ts';
import { recordsOf } from '../audit/audit-schema.ts';
import { fakeClock, serve } from '../proxmox/support.ts';
import {
  connectionEnv,
  runCli,
  scenario,
  startCluster,
  workFolder,
  writeFiles,
  type Cluster,
  type RunOptions,
} from '../e2e/harness.ts';
import { spawnServed, startServed } from '../e2e/served.ts';

const ROOT = 'rootM4RK;"&=ö 1';
const CLOUD_INIT = "ciM4RK;'&=<\\ 2";
const WRONG = 'wrongM4RK%<3';

const LAB = `name: net
passwords: { length: 20 }
machines:
  - { device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: lan }], start: true,
      cloud_init: { user: lab, password: ${JSON.stringify(CLOUD_INIT)} } }
`;

function plainSpellings(secret: string): string[] {
  const form = new URLSearchParams({ a: secret }).toString().slice(2);
  return [secret, encodeURIComponent(secret), form, JSON.stringify(secret).slice(1, -1)];
}

function base64(secret: string): string[] {
  return [0, 1, 2].map((pad) => Buffer.from('x'.repeat(pad) + secret).toString('base64'));
}

/** All spellings in which a secret could be found; of Base64 the part that what stands around it cannot change. */
function spellings(secret: string): string[] {
  return [...plainSpellings(secret), ...base64(secret).map((text) => text.slice(4, -4))];
}

const echoOf = (secret: string): string => [...plainSpellings(secret), ...base64(secret)].join(' ');

function expectNone(places: Readonly<Record<string, string>>, secrets: ReadonlySet<string>): void {
  const found = [...secrets].flatMap((secret) =>
    Object.entries(places).flatMap(([place, text]) =>
      spellings(secret).flatMap((spelling) => (text.includes(spelling) ? [`${place}: ${spelling}`] : [])),
    ),
  );
  expect(found).toEqual([]);
}

/** Notes tickets and CSRF tokens as they come by. */
const listener =
  (secrets: Set<string>) =>
  ({ target }: WireRequest, { body }: WireAnswer): void => {
    if (!target.startsWith('/api2/json/access/ticket') || !body.startsWith('{"data":{')) return;
    const { data } = JSON.parse(body) as { data: { ticket: string; CSRFPreventionToken: string } };
    secrets
      .add(data.ticket)
      .add(data.ticket.split('::')[1] ?? '')
      .add(data.CSRFPreventionToken);
  };

interface Stage {
  readonly folder: string;
  readonly secrets: Set<string>;
  readonly places: Record<string, string>;
  run(
    name: string,
    simulator: Cluster | undefined,
    argv: readonly string[],
    env?: Record<string, string>,
    options?: RunOptions,
  ): Promise<number>;
}

function stage(): Stage {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve, boris@pve]\n' });
  const secrets = new Set([ROOT, CLOUD_INIT, WRONG]);
  const places: Record<string, string> = {};
  const run: Stage['run'] = async (name, simulator, argv, env = {}, options = {}) => {
    const words = argv.map((word) =>
      /\.(yml|csv|json|html|jsonl|log)$/.test(word) ? join(folder, word) : word,
    );
    const traces = [
      '--log-level',
      'trace',
      '--log-file',
      join(folder, 'log'),
      '--audit-file',
      join(folder, 'audit'),
    ];
    const outcome = await runCli([...words, ...traces], simulator, { ...options, env });
    Object.assign(places, { [`${name} stdout`]: outcome.stdout, [`${name} stderr`]: outcome.stderr });
    return outcome.code;
  };
  return { folder, secrets, places, run };
}

/** Every file but those that are made for passwords, and those that we wrote ourselves. */
function readFiles({ folder, places, secrets }: Stage): void {
  for (const file of readdirSync(folder)) {
    const text = readFileSync(join(folder, file), 'utf8');
    if (file.startsWith('cards') || file.endsWith('.yml')) continue;
    if (!file.endsWith('.csv')) places[file] = text;
    else for (const row of text.split('\n').slice(1)) secrets.add(row.split(',')[1] ?? '');
  }
  secrets.delete('');
}

const CLASS = ['-c', 'lab.yml', '-u', 'users.yml', '--credentials', 'c.csv'];
const ROOT_LOGIN = { PVE_USER: 'root@pam', PVE_PASSWORD: ROOT, PVE_TOKEN_ID: '', PVE_TOKEN_SECRET: '' };
const asRoot = (simulator: Cluster): Record<string, string> => ({
  PVE_HOST: connectionEnv(simulator)['PVE_HOST'] ?? '',
  ...ROOT_LOGIN,
});

test('every command, and every failure of the cluster', async () => {
  const it = stage();
  const simulator = await startCluster({
    scenario: scenario({ root_password: ROOT }),
    onAnswer: listener(it.secrets),
  });
  it.secrets.add(simulator.credentials.secret);
  const env = asRoot(simulator);
  const run: Stage['run'] = (...given) => it.run(...given);
  // A server can send back what it was sent: in this run, or as a task's words.
  const fail = (path: string | RegExp, status: number, { method = 'WRITE', secret = ROOT } = {}) =>
    simulator.addFault({ match: { method, path }, nth: 1, action: 'fail', status, text: echoOf(secret) });

  expect(await run('dry run', simulator, ['deploy', ...CLASS, '--dry-run', '--out', 'plan.json'], env)).toBe(
    0,
  );
  fail(/access\/users$/, 500);
  fail(/qemu\/\d+\/config$/, 400, { secret: CLOUD_INIT });
  simulator.addFault({ match: { path: /clone$/ }, nth: 1, action: 'task-fail', exitstatus: echoOf(ROOT) });
  expect(
    await run('refusals', simulator, ['deploy', ...CLASS, '--progress', 'json', '--output', 'json'], env),
  ).toBe(5);
  simulator.addFault({
    match: { method: 'WRITE', path: /qemu\/\d+\/config$/ },
    nth: 1,
    action: 'drop-after',
  });
  expect(await run('lost answers', simulator, ['deploy', ...CLASS], env)).toBe(0);
  fail('/access/password', 403);
  await run('passwd refused', simulator, ['users', 'passwd', ...CLASS], env);
  expect(await run('passwd', simulator, ['users', 'passwd', ...CLASS, '--output', 'yaml'], env)).toBe(0);
  for (const [name, ...argv] of [
    ['list', 'users', 'list', ...CLASS],
    ['export', 'users', 'export', ...CLASS, '--format', 'html', '--out', 'cards.html'],
    ['sync', 'users', 'sync', ...CLASS],
    ['bridges', 'bridges', 'list', '--output', 'json'],
    ['validate', 'validate', '-c', 'lab.yml', '-u', 'users.yml'],
  ] as const) {
    expect([name, await run(name, simulator, argv, env)]).toEqual([name, 0]);
  }
  expect(await run('wrong password', simulator, ['deploy', ...CLASS], { ...env, PVE_PASSWORD: WRONG })).toBe(
    4,
  );
  fail(/version$|pools$/, 401, { method: 'GET' });
  await run('401', simulator, ['deploy', ...CLASS, '--output', 'json'], env);
  const behindTls = await startServed();
  const fingerprint = { PVE_FINGERPRINT: Array.from({ length: 32 }, () => 'AB').join(':') };
  const overTls = { PVE_HOST: `127.0.0.1:${behindTls.port}`, ...ROOT_LOGIN, ...fingerprint };
  const network = { clock: behindTls.time.clock, connect: behindTls.connect };
  expect(await it.run('TLS', undefined, ['deploy', ...CLASS], overTls, network)).toBe(4);
  fail(/qemu\/\d+$/, 500, { method: 'DELETE' });
  await run('cleanup refused', simulator, ['cleanup', ...CLASS], env);
  expect(await run('cleanup', simulator, ['cleanup', ...CLASS], env)).toBe(0);

  readFiles(it);
  // Tickets, tokens and passwords were there to be found.
  expect(it.secrets.size).toBeGreaterThan(10);
  expect(Object.keys(it.places)).toEqual(
    expect.arrayContaining(['log', 'audit', 'plan.json', 'passwd stderr']),
  );
  expectNone(it.places, it.secrets);

  const records = recordsOf(it.places['audit'] ?? '');
  const changed = simulator.requests.filter(({ method }) => method !== 'GET');
  // One request was refused by TLS and never arrived; all that arrived are recorded, as sent.
  const arrived = records.filter(({ type, result }) => type === 'write.end' && result !== 'not-sent');
  expect(arrived.map(({ method, path }) => `${String(method)} ${String(path)}`).sort()).toEqual(
    changed
      .map(({ method, rawPath }) => `${method} ${decodeURIComponent(rawPath.split('?')[0] ?? '')}`)
      .sort(),
  );
  expect(records.filter(({ type }) => type === 'run.start')).toHaveLength(
    records.filter(({ type }) => type === 'run.end').length,
  );
  expect(arrived.some(({ path, step }) => path === '/access/ticket' && step === undefined)).toBe(true);
  expect(arrived.some(({ upid, step }) => upid !== undefined && String(step).startsWith('vm.clone:'))).toBe(
    true,
  );
  expect(() => loadPlan(join(it.folder, 'plan.json'))).not.toThrow();
});

test('a server that sends back all it hears, a crash, and the simulator’s own file', async () => {
  const it = stage();
  const network: RunOptions = {
    clock: fakeClock(),
    connect: (host, options) => new HttpsTransport(host, options),
  };
  const tls = await newCertificate('mirror');
  const token = { PVE_TOKEN_ID: 'root@pam!lab', PVE_TOKEN_SECRET: ROOT };
  for (const [status, kind] of [
    [401, 'json'],
    [403, 'json'],
    [500, 'json'],
    [500, 'html'],
    [200, 'html'],
    [307, 'html'],
  ] as const) {
    const mirror = await serve((response, { headers, body, url }) => {
      const heard = `${JSON.stringify(headers)} ${url} ${body} ${decodeURIComponent(body)} ${echoOf(ROOT)}`;
      response.writeHead(status, { location: `http://elsewhere/?${encodeURIComponent(heard)}` });
      response.end(
        kind === 'json' ? JSON.stringify({ message: heard, errors: { a: heard } }) : `<p>${heard}`,
      );
    }, tls);
    for (const login of [token, ROOT_LOGIN]) {
      const env = {
        PVE_HOST: `127.0.0.1:${mirror.port}`,
        PVE_VERIFY_SSL: 'false',
        PVE_FINGERPRINT: '',
        ...login,
      };
      const name = `${status} ${kind}`;
      const code = await it.run(name, undefined, ['deploy', ...CLASS, '--output', 'json'], env, network);
      expect([name, code, it.places[`${name} stderr`]]).toEqual([name, 4, expect.any(String)]);
    }
    await mirror.close();
  }
  const crashing: Connect = (host) => ({
    host,
    close: () => undefined,
    send: () =>
      Promise.reject(
        new TypeError(
          `bad header "PVEAPIToken=root@pam!lab=${encodeURIComponent(ROOT)}" and {"password":${JSON.stringify(CLOUD_INIT)}}`,
        ),
      ),
  });
  const crash = { PVE_HOST: 'pve', ...token };
  expect(await it.run('crash', undefined, ['deploy', ...CLASS], crash, { connect: crashing })).toBe(1);
  expect(it.places['crash stderr']).toContain('at '); // the stack
  expect(
    await it.run('simulated', undefined, [
      '--simulate',
      '--simulate-state',
      'state.json',
      'deploy',
      ...CLASS,
    ]),
  ).toBe(0);
  readFiles(it);
  expectNone(it.places, it.secrets);
});

test('titles and arguments of processes', async () => {
  const it = stage();
  let titles = '';
  const simulator = await startServed({
    scenario: scenario({ root_password: ROOT }),
    onMutation: ({ n, phase }) => {
      if (phase === 'before' && n % 5 === 0)
        titles += execFileSync('ps', ['-eo', 'pid,comm,args'], { encoding: 'utf8' });
    },
  });
  const argv = ['deploy', ...CLASS].map((word) => (word.includes('.') ? join(it.folder, word) : word));
  const child = spawnServed(argv, simulator, ROOT_LOGIN);
  expect(await once(child, 'exit')).toEqual([0, null]);
  readFiles(it);
  expect(titles).toContain('child.mjs deploy');
  expect(existsSync(join(it.folder, 'c.csv'))).toBe(true);
  expectNone({ titles }, it.secrets);
});
