/** HTTP as pve-http-server speaks it. */
import { Agent } from 'node:http';
import { expect, test } from 'vitest';
import https from 'node:https';
import { send, start, startServed, toServer, type Loose, type Reply, type Started } from './harness.ts';
import { newCertificate } from '../certificate.ts';

const authorization = ({ sim }: Started): Record<string, string> => ({
  Authorization: `PVEAPIToken=${sim.credentials.tokenId}=${sim.credentials.secret}`,
});
const formType = { 'Content-Type': 'application/x-www-form-urlencoded' };

test('answers with {data}, simulated time and keep-alive', async () => {
  const started = await startServed();
  const begin = started.sim.now();
  const reply = await started.root.get('/version');
  expect(reply.status).toBe(200);
  expect(reply.data).toMatchObject({ version: '8.4.5', release: '8.4' });
  const date = Date.parse(reply.headers.date ?? '');
  expect(date).toBeGreaterThan(begin - 1000); // whole seconds
  expect(date).toBeLessThanOrEqual(started.sim.now());
  expect(reply.headers.date).toContain('2026');
  expect(reply.headers.connection).not.toBe('close');
});

test.each([
  { method: 'PATCH', path: '/pools', status: 501, reason: "method 'PATCH' not available" },
  {
    method: 'DELETE',
    path: '/pools',
    body: 'poolid=x',
    status: 501,
    reason: "Unexpected content for method 'DELETE'",
  },
  {
    method: 'GET',
    path: '/version',
    body: 'a=b',
    status: 501,
    reason: "Unexpected content for method 'GET'",
  },
  {
    method: 'PUT',
    path: '/nodes/pve1/qemu',
    body: 'a=b',
    status: 501,
    reason: "Method 'PUT /nodes/pve1/qemu' not implemented",
  },
  {
    method: 'GET',
    path: '/no/such/thing',
    status: 501,
    reason: "Method 'GET /no/such/thing' not implemented",
  },
  {
    method: 'POST',
    path: '/pools',
    body: 'x'.repeat(512 * 1024 + 1),
    status: 501,
    reason: 'for data too large',
  },
])('$method $path: $reason', async ({ method, path, body, status, reason }) => {
  const started = await startServed();
  const headers = { ...authorization(started), ...formType };
  const reply = await send(started.sim.url, {
    method,
    path: `/api2/json${path}`,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  expect([reply.status, reply.reason]).toEqual([status, reason]);
  expect(reply.headers.connection).toBe('close');
});

test.each([
  ['7.4', 'GET', '/nodes/pve1/qemu/300/rrd', 'GET /nodes/pve1/qemu/300/rrd is not part of the simulator'],
  ['9.2', 'GET', '/cluster/bulk-action', 'GET /cluster/bulk-action is not part of the simulator'],
  ['8.4', 'GET', '/cluster/bulk-action', "Method 'GET /cluster/bulk-action' not implemented"],
  ['8.4', 'PUT', '/nodes/pve1/qemu/300', "Method 'PUT /nodes/pve1/qemu/300' not implemented"],
] as const)('%s: %s %s: %s', async (version, method, path, reason) => {
  const { root } = await start({ version });
  const reply = await root.call(method, path);
  expect([reply.status, reply.reason]).toEqual([501, reason]);
});

test('a restore is not modelled, and says so', async () => {
  const { root } = await start();
  const reply = await root.post('/nodes/pve1/qemu', { vmid: 400, archive: 'local:backup/x.vma.zst' });
  expect([reply.status, reply.reason]).toEqual([
    501,
    'restoring from an archive is not part of the simulator',
  ]);
});

test('7.4 takes 64 KiB and tells errors in the reason phrase only', async () => {
  const started = await startServed({ version: '7.4' });
  const headers = { ...authorization(started), ...formType };
  const big = await send(started.sim.url, {
    method: 'POST',
    path: '/api2/json/pools',
    headers,
    body: 'x'.repeat(65_537),
  });
  expect(big.reason).toBe('for data too large');
  const missing = await started.root.get('/nodes/pve1/qemu/999/config');
  expect(missing.status).toBe(500);
  expect(missing.reason).toBe("Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist");
  expect(missing.body).toEqual({ data: null });
  const unknown = await started.root.put('/pools', { poolid: 'x' });
  expect([unknown.status, unknown.reason]).toEqual([501, "Method 'PUT /pools' not implemented"]);
});

test.each(['8.4', '9.2'] as const)('%s repeats the text as message', async (version) => {
  const { root } = await startServed({ version });
  const reply = await root.get('/nodes/pve1/qemu/999/config');
  expect(reply.body).toEqual({
    data: null,
    message: "Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist\n",
  });
});

test('chunked bodies and unknown content types are refused', async () => {
  const started = await startServed();
  const chunked = await send(started.sim.url, {
    method: 'POST',
    path: '/api2/json/pools',
    headers: { ...authorization(started), ...formType, 'Transfer-Encoding': 'chunked' },
  });
  expect(chunked.reason).toBe('chunked transfer encoding not supported');
  const xml = await send(started.sim.url, {
    method: 'POST',
    path: '/api2/json/pools',
    headers: { ...authorization(started), 'Content-Type': 'text/xml' },
    body: '<a/>',
  });
  expect(xml.status).toBe(506);
});

test('forms split on & and ;, repeat keys and lose what follows a second =', async () => {
  const started = await startServed({ users: [] });
  const post = (body: string): ReturnType<typeof send> =>
    send(started.sim.url, {
      method: 'POST',
      path: '/api2/json/pools',
      headers: { ...authorization(started), ...formType },
      body,
    });
  expect((await post('poolid=a;comment=x%3By%3Dz')).status).toBe(200);
  expect((await post('poolid=b&comment=left=right')).status).toBe(200);
  expect((await post('poolid=c&comment=')).status).toBe(200);
  expect((await post('poolid=d&comment=%D0%BF%D1%80%D0%B8+%2B')).status).toBe(200);
  const pools = await started.root.ok('GET', '/pools');
  const comments = Object.fromEntries(pools.map((pool: Loose) => [pool.poolid, pool.comment]));
  expect(comments).toMatchObject({ a: 'x;y=z', b: 'left', d: 'при +' });
  expect(comments['c']).toBeUndefined();
  const twice = await post('poolid=e&comment=1&comment=2');
  expect(twice.body.errors).toEqual({ comment: "type check ('string') failed - got ARRAY" });
  const lists = await send(started.sim.url, {
    method: 'PUT',
    path: '/api2/json/pools',
    headers: { ...authorization(started), ...formType },
    body: 'poolid=a&vms=10001&vms=10002',
  });
  expect(lists.status).toBe(200);
});

test.each(['7.4', '8.4', '9.2'] as const)(
  '%s: an empty value is a value; a key alone is none',
  async (version) => {
    const started = await start({ version });
    const { root } = started;
    const put = (path: string, body: string): Promise<Reply> =>
      toServer(started.sim)({
        method: 'PUT',
        path: `/api2/json${path}`,
        headers: { ...authorization(started), ...formType },
        body,
      });
    await root.ok('POST', '/access/groups', { groupid: 'class' });
    const details = { email: 'anna@example.org', comment: 'here', groups: 'class' };
    await root.ok('POST', '/access/users', { userid: 'anna@pve', ...details });
    const anna = (): Promise<Loose> => root.ok('GET', '/access/users/anna@pve');
    expect((await put('/access/users/anna@pve', 'email&comment&groups')).status).toBe(200);
    expect(await anna()).toMatchObject({ ...details, groups: ['class'] });
    expect((await put('/access/users/anna@pve', 'email=&comment=&groups=')).status).toBe(200);
    const cleared = await anna();
    expect(cleared).not.toHaveProperty('email');
    expect(cleared).not.toHaveProperty('comment');
    expect(cleared.groups).toEqual([]);
    expect((await put('/access/users/anna@pve', 'enable=')).body.errors).toEqual({
      enable: "type check ('boolean') failed - got ''",
    });
    expect((await put('/access/users/anna@pve', 'expire=')).body.errors).toEqual({
      expire: "type check ('integer') failed - got ''",
    });
    const grant = await put('/access/acl', 'path=/vms&roles=PVEVMUser&users=');
    expect(grant.body.errors?.['users']).toBe("either 'users', 'groups' or 'tokens' is required.");

    const pool = version === '7.4' ? '/pools/infra' : '/pools';
    const id = version === '7.4' ? '' : 'poolid=infra&';
    await put(pool, `${id}comment=kept`);
    await put(pool, `${id}comment`);
    const comment = (): string | undefined =>
      started.sim.snapshot().pools.find((one) => one.poolid === 'infra')?.comment;
    expect(comment()).toBe('kept');
    await put(pool, `${id}comment=`);
    expect(comment()).toBe('');

    const config = '/nodes/pve1/qemu/100/config';
    await root.ok('PUT', config, { tags: 'a;b', description: 'notes', ciuser: 'anna' });
    expect((await put(config, 'tags=&description=&ciuser=')).status).toBe(200);
    const now = await root.ok('GET', config);
    for (const key of ['tags', 'description', 'ciuser']) expect(now).not.toHaveProperty(key);
    expect((await put(config, 'name=')).status).toBe(400);
    expect((await put(config, 'memory=')).status).toBe(400);
    expect((await put(config, 'net0=')).status).toBe(400);
  },
);

test('JSON bodies work on 8+, with booleans; text booleans never do', async () => {
  for (const [version, status] of [
    ['7.4', 400],
    ['8.4', 200],
  ] as const) {
    const started = await startServed({ version });
    const post = (userid: string, enable: unknown): ReturnType<typeof send> =>
      send(started.sim.url, {
        method: 'POST',
        path: '/api2/json/access/users',
        headers: { ...authorization(started), 'Content-Type': 'application/json' },
        body: JSON.stringify({ userid, enable }),
      });
    expect((await post('a@pve', true)).status).toBe(status);
    const text = await post('b@pve', 'true');
    expect(text.body.errors).toEqual({ enable: "type check ('boolean') failed - got 'true'" });
  }
});

test('a connection is closed after 100 requests and after every error', async () => {
  const started = await startServed();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const get = (path: string): ReturnType<typeof send> =>
    send(started.sim.url, { path: `/api2/json${path}`, headers: authorization(started), agent });
  for (let i = 1; i < 100; i += 1) expect((await get('/version')).headers.connection).not.toBe('close');
  expect((await get('/version')).headers.connection).toBe('close');
  expect((await get('/version')).headers.connection).not.toBe('close');
  expect((await get('/nope')).headers.connection).toBe('close');
  agent.destroy();
});

test('an idle connection is told to live 5 s', async () => {
  const { root } = await startServed();
  expect((await root.get('/version')).headers['keep-alive']).toBe('timeout=5');
});

test('calls to a node that is down give 595, unknown nodes a failed lookup', async () => {
  const { root, sim } = await start();
  sim.addFault({ action: 'node-offline', node: 'pve2' });
  const before = sim.now();
  const down = await root.get('/nodes/pve2/qemu');
  expect([down.status, down.reason, down.text]).toEqual([595, 'No route to host', '']);
  expect(sim.now() - before).toBeGreaterThanOrEqual(3_000);
  const unknown = await root.get('/nodes/pve9/qemu');
  expect(unknown.status).toBe(500);
  expect(unknown.reason).toMatch(/^hostname lookup 'pve9' failed - /);
});

test('three synchronous calls per node proceed at once, the others wait; after 30 s the proxy gives up', async () => {
  const { root, sim } = await start({ latency: { request_ms: 12_000 } });
  const begin = sim.now();
  const replies = await Promise.all(Array.from({ length: 9 }, () => root.get('/nodes/pve2/qemu')));
  expect(replies.filter((reply) => reply.status === 200)).toHaveLength(6);
  expect(replies.filter((reply) => reply.status === 596)).toHaveLength(3);
  expect(sim.now() - begin).toBeGreaterThanOrEqual(30_000);
});

test('the operation behind a 596 goes on', async () => {
  const { root, sim, time } = await start({ latency: { user_cfg_write_ms: 40_000 } });
  const reply = await root.post('/pools', { poolid: 'late' });
  expect([reply.status, reply.reason, reply.text]).toEqual([596, 'Connection timed out', '']);
  const isThere = (): boolean => sim.snapshot().pools.some((pool) => pool.poolid === 'late');
  expect(isThere()).toBe(false);
  await time.sleep(20_000);
  expect(isThere()).toBe(true);
});

test('serves HTTPS when given a certificate', async () => {
  const { sim } = await startServed({}, { tls: await newCertificate() });
  expect(sim.url).toMatch(/^https:/);
  const status = await new Promise((resolve, reject) => {
    const path = `${sim.url}/api2/json/access/domains`;
    https
      .get(path, { rejectUnauthorized: false }, (reply) => resolve(reply.resume().statusCode))
      .on('error', reject);
  });
  expect(status).toBe(200);
});
