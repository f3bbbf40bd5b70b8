/** `serve`, through the whole command line on the simulator; what only sockets can prove is in test/process. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { MOST_VIEWERS } from '../../src/lib/serve/viewers.ts';
import type { ClusterState, GuestState } from '../../src/lib/simulator/state.ts';
import { post, runCli, startCluster, workFolder, writeFiles, writes, type Cluster } from './harness.ts';
import { eventsOf, whileServing, type Serving } from './serving.ts';

const LAB = `name: net
placement: { strategy: specific, node: pve1 }
machines:
  - { name: srv, template_vmid: 101, start: true, networks: [{ bridge: vmbr0 }, { bridge: lan }] }
  - { name: pc, template_vmid: 101, start: true, networks: [{ bridge: lan }] }
`;

let deployed: Promise<ClusterState> | undefined;

async function make(): Promise<ClusterState> {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve, boris@pve]\n' });
  const cluster = await startCluster();
  const files = ['-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
  const { code } = await runCli(['deploy', ...files, '--credentials', join(folder, 'c.csv')], cluster);
  expect(code).toBe(0);
  return cluster.snapshot();
}

async function aClass(): Promise<Cluster> {
  deployed ??= make();
  const cluster = await startCluster({ state: structuredClone(await deployed) });
  await cluster.time.sleep(120_000);
  return cluster;
}

function machine({ pools, guests }: ClusterState, user: string, name: string): GuestState {
  const pool = pools.find(({ poolid }) => poolid === user)!;
  return guests.find(({ vmid, config }) => pool.vms.includes(vmid) && config['name'] === name)!;
}

const api = JSON.parse(readFileSync('schemas/serve.openapi.json', 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { responses: Record<string, unknown> }>>>>;
};
const statusSchema = JSON.parse(readFileSync('schemas/status.schema.json', 'utf8'), (key, value: unknown) =>
  // JSON Schema of another age; what it uses means the same.
  key === '$schema' ? undefined : value,
) as object;
const ajv = new Ajv2020({ strict: false, validateFormats: false })
  .addSchema({ ...statusSchema, $id: 'https://deploy-stand/status.schema.json' })
  .addSchema({ ...api, $id: 'https://deploy-stand/serve.openapi.json' });

/** What is described is what is answered: path, code, kind and shape. */
async function asDescribed(serving: Serving, path: string, headers = {}): Promise<unknown> {
  const response = await serving.get(path, headers);
  const [, kind = ''] = /^([^;]+)/.exec(response.headers.get('content-type') ?? '') ?? [];
  const described = api.paths[path]?.['get']?.responses[response.status] as
    { content?: Record<string, unknown>; $ref?: string } | undefined;
  expect([path, response.status, described === undefined]).toEqual([path, response.status, false]);
  const at = described?.$ref ?? `#/paths/${path.replaceAll('/', '~1')}/get/responses/${response.status}`;
  const validate = ajv.compile({
    $ref: `https://deploy-stand/serve.openapi.json${at}/content/${kind.replace('/', '~1')}/schema`,
  });
  const body: unknown = kind === 'application/json' ? await response.json() : await response.text();
  validate(body);
  expect(validate.errors ?? []).toEqual([]);
  return body;
}

test('the class as it is: several viewers, one look; what changes is sent; a cluster that is away; an end without a trace', async () => {
  const cluster = await aClass();
  const folder = workFolder();
  const { vmid } = machine(cluster.snapshot(), 'anna', 'pc');
  const looks = (): number =>
    cluster.requests.filter(({ rawPath }) => rawPath.includes('/cluster/resources')).length;
  let [before, lookedAt] = [0, 0];
  const done: string[] = [];
  const argv = ['serve', '--lab', 'net', '--interval', '10', '--listen', '127.0.0.1:0'];
  const outcome = await whileServing(argv, cluster, async (serving) => {
    const page = await (await serving.get('/')).text();
    expect(page).toContain('<h1 data-id="title">Lab net</h1>');
    expect(page).toContain('every 10 s');
    const [, version = ''] = /data-version="([^"]+)"/.exec(page) ?? [];
    const viewers = await Promise.all(
      [version, version, 'of another run'].map((since) => serving.get(`/events?since=${since}`)),
    );
    const [one, other, late] = viewers.map((response) => eventsOf(response));
    // He has no state of this run, and gets all of it.
    const whole = (await late!.next()).value as { event: string; data: string };
    expect(Object.keys(JSON.parse(whole.data) as object)).toEqual(
      expect.arrayContaining(['head', 'tiles', 'problems', 'nodes', 'stands', 'live']),
    );

    before = looks();
    await cluster.time.sleep(30_500);
    // Whoever looks: three of them, and three intervals.
    lookedAt = looks() - before;
    // He has slept meanwhile, and gets the whole once; from now on he follows step by step.
    await one!.next();
    await post(cluster, `/nodes/pve1/qemu/${vmid}/status/stop`, {});
    let row = '';
    for await (const { event, data = '' } of one!) {
      expect(event).toBe('parts');
      const { stands } = JSON.parse(data) as { stands?: { keys?: string[]; html: Record<string, string> } };
      // The same stands in the same order.
      expect(stands?.keys).toBeUndefined();
      row = stands?.html['net/anna'] ?? '';
      if (row.includes('1 of 2 running')) break;
    }
    expect(row).toMatch(/^<tr data-id="net\/anna"/);
    expect(((await other!.next()).value as { id: string }).id).toMatch(/^\d+-\d+$/);

    const { status: shown } = (await asDescribed(serving, '/api/status.json')) as { status: object };
    await asDescribed(serving, '/');
    await asDescribed(serving, '/healthz');
    const figures = await asDescribed(serving, '/metrics');
    const file = join(folder, 'figures.prom');
    const same = await runCli(
      ['status', '--lab', 'net', '--metrics-file', file, '--output', 'json'],
      cluster,
    );
    const names = (text: unknown): string[] => String(text).match(/^# (HELP|TYPE) .*/gm) ?? [];
    expect(names(figures)).toEqual(names(readFileSync(file, 'utf8')));
    expect(Object.keys(shown)).toEqual(Object.keys(JSON.parse(same.stdout) as object));

    serving.setAway(true);
    await cluster.time.sleep(60_000);
    const away = (await asDescribed(serving, '/api/status.json')) as {
      cluster: { reachable: boolean; message: string };
      status: object;
    };
    expect(away.cluster).toMatchObject({
      reachable: false,
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
    expect(away.status).toMatchObject({ labs: [{ lab: 'net' }] });
    const last = await (await serving.get('/')).text();
    expect(last).toMatch(/Nothing new could be seen since \d{4}-\d\d-\d\d \d\d:\d\d UTC: .*last state/);
    expect(last).toContain('1 of 2 running');
    await asDescribed(serving, '/healthz');
    serving.setAway(false);
    await cluster.time.sleep(20_000);
    expect(await (await serving.get('/')).text()).toContain('every 10 s');

    serving.signal('SIGTERM');
    // Those who look are let go.
    for await (const { event } of late!) done.push(event ?? '');
    await cluster.time.sleep(1000);
    expect(serving.isClosed()).toBe(true);
  });
  expect([outcome.code, outcome.stdout]).toEqual([
    0,
    '2 stands at http://127.0.0.1:8080/; stop with Ctrl-C\n',
  ]);
  expect(lookedAt).toBe(3);
  expect(outcome.stderr).toContain('root@pam!deploy-stand can do more than look');
  expect(outcome.stderr.match(/nothing new since/g)).toHaveLength(1);
  expect(outcome.stderr).toContain('the cluster is seen again');
  expect(writes(cluster).filter((write) => !write.endsWith('/status/stop'))).toEqual([]);
});

const TOKEN = '5b1f1f0f2c3a4d5e6f708192a3b4c5d6';

test('with a token: a form, a cookie, a header; no other host, method or site; the token is told nowhere', async () => {
  const cluster = await aClass();
  const file = join(workFolder(), 'token');
  writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 });
  const argv = ['serve', '--listen', '0.0.0.0:8080', '--token-file', file, '--allow-host', 'Stands.School'];
  const outcome = await whileServing([...argv, '--log-level', 'trace'], cluster, async (serving) => {
    for (const path of ['/', '/api/status.json', '/metrics', '/events', '/nothing'])
      expect([path, (await serving.get(path)).status]).toEqual([path, 401]);
    await asDescribed(serving, '/healthz');
    await asDescribed(serving, '/metrics');
    const form = await serving.get('/');
    expect(form.headers.get('content-security-policy')).toContain("form-action 'self'");
    expect(await form.text()).not.toContain('<script');

    const wrong = await serving.post('/login', { token: `${TOKEN.slice(0, -1)}7` });
    expect([wrong.status, wrong.headers.get('set-cookie')]).toEqual([401, null]);
    expect(await wrong.text()).toContain('That is not the token.');
    expect((await serving.post('/login', { token: 'a'.repeat(10_000) })).status).toBe(413);
    for (const kind of ['multipart/form-data', 'multipart/form-data; boundary=x']) {
      const headers = { 'content-type': kind };
      const odd = await serving.send('/login', { method: 'POST', headers, body: 'no form' });
      expect([kind, odd.status]).toEqual([kind, 400]);
    }
    const right = await serving.post('/login', { token: TOKEN });
    expect([right.status, right.headers.get('location')]).toEqual([303, './']);
    const cookie = right.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^deploy-stand=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(TOKEN);
    const kept = { cookie: cookie.split(';')[0] ?? '' };
    const page = await serving.get('/', kept);
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(page.headers.get('content-security-policy')).toMatch(
      /default-src 'none'.* connect-src 'self'.*frame-ancestors 'none'/,
    );
    expect(await page.text()).not.toContain(TOKEN);
    expect((await serving.get('/metrics', { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    for (const headers of [{ authorization: 'Bearer x' }, { cookie: `deploy-stand=${TOKEN}` }])
      expect((await serving.get('/metrics', headers)).status).toBe(401);

    for (const [host, code] of [
      ['evil.example:8080', 421],
      ['stands.school.evil.example', 421],
      ['', 421],
      ['stands.school:443', 200],
      ['STANDS.SCHOOL.', 200],
      ['[::1]:8080', 200],
      ['192.0.2.7:8080', 200],
      ['localhost:8080', 200],
    ] as const)
      expect([host, (await serving.get('/', { ...kept, host })).status]).toEqual([host, code]);
    // Who asks for the head only does not stay: nobody is kept out by it.
    for (let asked = 0; asked <= MOST_VIEWERS; asked += 1) {
      const head = await serving.send('/events', { method: 'HEAD', headers: kept });
      expect([head.status, head.headers.get('content-type')]).toEqual([
        200,
        'text/event-stream; charset=utf-8',
      ]);
    }
    expect((await serving.get('/events', kept)).status).toBe(200);
    const foreign = { ...kept, 'sec-fetch-site': 'cross-site' };
    expect((await serving.get('/events', { ...foreign, 'sec-fetch-mode': 'cors' })).status).toBe(403);
    expect((await serving.get('/', { ...foreign, 'sec-fetch-mode': 'navigate' })).status).toBe(200);
    expect((await serving.post('/', {})).status).toBe(405);
    expect((await serving.post('/api/status.json', {})).status).toBe(405);
    expect((await serving.get('/nothing', kept)).status).toBe(404);
  });
  expect(outcome.code).toBe(0);
  expect(`${outcome.stdout}${outcome.stderr}`).not.toContain(TOKEN);
});

describe('refused before anything is contacted', () => {
  const tokens = new Map([
    ['weak', 'secret'],
    ['endless', 'a'.repeat(20_000)],
  ]);
  const fileOf = (token: string): string => {
    const file = join(workFolder(), 'token');
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    return file;
  };
  test.each([
    ['off this machine, without a token', ['--listen', '0.0.0.0:8080'], 'LISTEN_NEEDS_TOKEN'],
    ['a token that can be guessed', ['--token-file', 'weak'], 'TOKEN_WEAK'],
    ['a token that no header holds', ['--token-file', 'endless'], 'TOKEN_WEAK'],
    ['no address', ['--listen', 'here'], 'is not an address with a port'],
    ['no port', ['--listen', '127.0.0.1:99999'], 'is not an address with a port'],
    ['without a pause', ['--interval', '1s'], 'is less than 2s'],
    ['an address for a name', ['--allow-host', 'a.example,https://b.example'], 'ALLOW_HOST'],
  ])('%s', async (_name, flags, said) => {
    const cluster = await startCluster();
    const words = flags.map((word) => {
      const token = tokens.get(word);
      return token === undefined ? word : fileOf(token);
    });
    const { code, stderr } = await runCli(['serve', ...words], cluster);
    expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
    expect(cluster.requests).toEqual([]);
  });
});
