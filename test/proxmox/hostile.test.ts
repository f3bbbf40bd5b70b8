/** Servers that lie, stall and flood: what they can make us do is fail with an error of ours. */
import { once } from 'node:events';
import { STATUS_CODES } from 'node:http';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createPveClient, type PveClient } from '../../src/lib/proxmox/client.ts';
import { StandError } from '../../src/lib/errors.ts';
import { AnswerLostError, PveError, UnreachableError } from '../../src/lib/proxmox/errors.ts';
import { failure, fakeClock, json, password, serve, transport, UPID, type TestServer } from './support.ts';
import type { Connect } from '../../src/lib/proxmox/transports/types.ts';
import { newCertificate } from '../certificate.ts';
import { fuzzRuns } from '../runs.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close();
});

async function server(...args: Parameters<typeof serve>): Promise<TestServer> {
  const started = await serve(...args);
  open.push(started);
  return started;
}

type Over = Parameters<typeof transport>[0];
const url = ({ port }: TestServer): string => `http://127.0.0.1:${port}`;
const to = (pve: TestServer, over: Over = {}, options: Parameters<typeof transport>[1] = {}) => {
  const http = transport({ hosts: [url(pve)], ...over }, options);
  open.push(http);
  return http;
};

describe('redirects', () => {
  test.each([301, 302, 303, 307, 308])('%i to another host: nothing goes there', async (status) => {
    const other = await server((response) => json(response, 1));
    const pve = await server((response) =>
      response.writeHead(status, { location: `${url(other)}/api2/json/x?ticket=cafe-babe` }).end('moved'),
    );
    for (const login of [{}, password]) {
      const http = to(pve, login);
      for (const error of [
        await failure(http.get('/x')),
        await failure(http.post('/x', { password: 'p' })),
      ]) {
        expect(error).toMatchObject({ code: 'PVE_ERROR', status });
        expect(error.message).toContain(`redirected to ${url(other)}`);
        expect(error.message).not.toContain('cafe-babe');
      }
    }
    expect(other.connections()).toBe(0);
  });
});

describe('floods', () => {
  const limit = { maxAnswerBytes: 100_000 };

  test('a gzip bomb is cut off where the limit is', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, ' '));
    expect(bomb.length).toBeLessThan(limit.maxAnswerBytes);
    const pve = await server((response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    const before = process.memoryUsage().rss;
    expect((await failure(to(pve, {}, limit).get('/x'))).message).toContain('100000 exceeded');
    expect(process.memoryUsage().rss - before).toBeLessThan(40_000_000);
  });

  test('an endless body is cut off, and its connection with it', async () => {
    const ends: Promise<unknown>[] = [];
    const pve = await server((response) => {
      response.writeHead(200);
      const flood = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', flood);
      ends.push(once(response, 'close'));
      flood();
    });
    expect(await failure(to(pve, {}, limit).get('/x'))).toBeInstanceOf(PveError);
    expect(await failure(to(pve, {}, limit).put('/x'))).toBeInstanceOf(AnswerLostError);
    expect(await Promise.all(ends)).toHaveLength(2);
  });

  test('JSON of 200,000 levels is no crash', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const pve = await server((response, { url: path }) =>
      response
        .writeHead(path.includes('users') ? 200 : 500)
        .end(`{"data":${deep},"errors":${deep},"message":${deep}}`),
    );
    const client = clientOf(url(pve));
    expect(await failure(client.users())).toBeInstanceOf(StandError);
    expect(await failure(client.version())).toBeInstanceOf(StandError);
  });

  test('a header that never ends is refused', async () => {
    const pve = await server((response) => {
      response.socket?.write(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(100_000)}`);
    });
    expect(await failure(to(pve).post('/x'))).toBeInstanceOf(AnswerLostError);
  });
});

describe('one byte at a time', () => {
  test.each([
    { name: 'the body', first: 'HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n' },
    { name: 'the headers', first: 'HTTP/1.1 200 OK\r\nX-' },
  ])('$name: the whole exchange has one deadline, however busy the line', async ({ first }) => {
    const pve = await server((response) => {
      const { socket } = response;
      socket?.on('error', () => undefined).write(first);
      const trickle = (): void => {
        if (socket?.destroyed !== false) return;
        vi.advanceTimersByTime(1000);
        socket.write('0', () => setImmediate(trickle));
      };
      trickle();
    });
    const error = await failure(to(pve, { timeout: 60_000 }).post('/x'));
    expect(error).toBeInstanceOf(AnswerLostError);
    expect(error.message).toContain('no answer within 60 s');
  });
});

describe('what is no answer of PVE', () => {
  test.each([200, 403, 404, 500, 502])('a page of HTML with %i', async (status) => {
    const pve = await server((response) =>
      response
        .writeHead(status, { 'content-type': 'text/html' })
        .end('<html><script>alert(1)</script>cafe-babe'),
    );
    for (const error of [await failure(to(pve).get('/x')), await failure(to(pve).put('/x'))]) {
      expect(error).toBeInstanceOf(StandError);
      expect(error.message).toContain('/x');
      expect(error.message).not.toContain('cafe-babe');
    }
  });

  test('the secrets of the connection come back from nowhere, in no spelling', async () => {
    const secret = 'pa;ss "wörd"&1';
    const spellings = [
      secret,
      encodeURIComponent(secret),
      new URLSearchParams({ a: secret }).toString().slice(2),
      ...[0, 1, 2].map((pad) => Buffer.from('x'.repeat(pad) + secret).toString('base64')),
      Buffer.from(secret).toString('base64url'),
    ];
    const pve = await server((response, { url: path }) => {
      if (path.endsWith('/access/ticket'))
        json(response, { ticket: 'PVE:a@pve:66AABBCC::s1gn4ture', CSRFPreventionToken: 'c5rf' });
      else
        response.writeHead(400).end(
          JSON.stringify({
            message: spellings.join(' '),
            errors: { a: [...spellings, 's1gn4ture', 'c5rf'] },
          }),
        );
    });
    const http = to(pve, { auth: { kind: 'password', user: 'a@pve', password: secret } });
    const error = await failure(http.put('/x'));
    const said = JSON.stringify([error.message, Object.entries(error)]);
    const inner = Buffer.from(secret).toString('base64').slice(4, -4);
    for (const text of [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      's1gn4ture',
      'c5rf',
      inner,
    ]) {
      expect(said).not.toContain(text);
    }
    expect(said).toContain('***');
  });

  test('a port that speaks HTTP where TLS is expected is named so', async () => {
    const pve = await server((response) => json(response, 1));
    const http = to(pve, { hosts: [`127.0.0.1:${pve.port}`], tls: { verify: false } });
    const error = await failure(http.get('/x'));
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toMatch(/127\.0\.0\.1:\d+: it does not speak TLS; is this the right port\?/);
    const secure = await server((response) => json(response, 1), await newCertificate('x'));
    expect(await failure(to(secure).get('/x'))).toBeInstanceOf(StandError);
  });
});

function clientOf(host: string, connect?: Connect): PveClient {
  const client = createPveClient({
    connection: {
      name: 't',
      hosts: [host],
      auth: { kind: 'token', tokenId: 'a@pve!b', secret: 'cafe' },
      tls: { verify: true },
      timeout: 5000,
    },
    clock: fakeClock(),
    connect,
  });
  open.push(client);
  return client;
}

const vm = { node: 'n', target: 'n', templateVmid: 1, vmid: 2, name: 'x', description: '', full: false };
const grant = { path: '/', role: 'r', userid: 'u@pve', propagate: true };
const bridge = { iface: 'vmbr1', vlanAware: true, comment: '' };

/** Every method once; one without an entry does not compile. */
const CALLS: {
  readonly [K in Exclude<keyof PveClient, 'close' | 'forStep' | 'requests' | 'serverTime'>]: (
    pve: PveClient,
  ) => Promise<unknown>;
} = {
  agentExec: (pve) => pve.agentExec({ node: 'n', vmid: 1 }, ['true']),
  agentExecStatus: (pve) => pve.agentExecStatus({ node: 'n', vmid: 1 }, 2),
  clusterStatus: (pve) => pve.clusterStatus(),
  isVmidFree: (pve) => pve.isVmidFree(1),
  nodeHistory: (pve) => pve.nodeHistory('n', 'hour'),
  guestHistory: (pve) => pve.guestHistory({ node: 'n', vmid: 1, type: 'qemu' }, 'hour'),
  nodeStatus: (pve) => pve.nodeStatus('n'),
  metricsSince: (pve) => pve.metricsSince(0),
  crsOptions: (pve) => pve.crsOptions(),
  haRules: (pve) => pve.haRules(),
  vnetZones: (pve) => pve.vnetZones(),
  vnetStates: (pve) => pve.vnetStates('pve1', 'z'),
  runningMachine: (pve) => pve.runningMachine({ node: 'n', vmid: 1 }),
  migrateProblems: (pve) => pve.migrateProblems({ node: 'n', vmid: 1, target: 'm' }),
  convertToTemplate: (pve) => pve.convertToTemplate({ node: 'n', vmid: 1 }),
  migrateVm: (pve) => pve.migrateVm({ node: 'n', vmid: 1, target: 'm' }),
  migrateContainer: (pve) => pve.migrateContainer({ node: 'n', vmid: 1, target: 'm' }),
  version: (pve) => pve.version(),
  resources: (pve) => pve.resources(),
  nodeHaStates: (pve) => pve.nodeHaStates(),
  removeHaResource: (pve) => pve.removeHaResource({ vmid: 1 }),
  users: (pve) => pve.users(),
  user: (pve) => pve.user('u@pve'),
  createUser: (pve) => pve.createUser({ userid: 'u@pve', comment: '', groups: [] }),
  updateUser: (pve) => pve.updateUser('u@pve', {}),
  setPassword: (pve) => pve.setPassword('u@pve', 'p'),
  deleteUser: (pve) => pve.deleteUser('u@pve'),
  realms: (pve) => pve.realms(),
  groups: (pve) => pve.groups(),
  roles: (pve) => pve.roles(),
  createRole: (pve) => pve.createRole('r', []),
  permissions: (pve) => pve.permissions(),
  acls: (pve) => pve.acls(),
  grant: (pve) => pve.grant(grant),
  revoke: (pve) => pve.revoke(grant),
  pools: (pve) => pve.pools(),
  pool: (pve) => pve.pool('p'),
  createPool: (pve) => pve.createPool('p', ''),
  updatePool: (pve) => pve.updatePool('p', {}),
  deletePool: (pve) => pve.deletePool('p'),
  network: (pve) => pve.network('n'),
  createBridge: (pve) => pve.createBridge('n', bridge),
  updateBridge: (pve) => pve.updateBridge('n', { ...bridge, vlanAware: true }),
  deleteBridge: (pve) => pve.deleteBridge('n', 'vmbr1'),
  reloadNetwork: (pve) => pve.reloadNetwork('n'),
  storageDefinitions: (pve) => pve.storageDefinitions(),
  storageFiles: (pve) => pve.storageFiles({ node: 'n', storage: 's', content: 'iso' }),
  imageSizes: (pve) => pve.imageSizes({ node: 'n', storage: 's' }),
  mappings: (pve) => pve.mappings('pci'),
  machineTypes: (pve) => pve.machineTypes('n'),
  nodeVms: (pve) => pve.nodeVms({ node: 'n' }),
  guestConfig: (pve) => pve.guestConfig({ node: 'n', vmid: 1 }),
  vmPending: (pve) => pve.vmPending({ node: 'n', vmid: 1 }),
  cloneVm: (pve) => pve.cloneVm(vm),
  updateVmConfig: (pve) => pve.updateVmConfig({ node: 'n', vmid: 1 }, { set: {}, remove: [] }),
  snapshots: (pve) => pve.snapshots({ node: 'n', vmid: 1 }),
  agentAddresses: (pve) => pve.agentAddresses({ node: 'n', vmid: 1 }),
  snapshotConfigs: (pve) => pve.snapshotConfigs({ node: 'n', vmid: 1, type: 'lxc' }),
  snapshotConfig: (pve) => pve.snapshotConfig({ node: 'n', vmid: 1 }, 's'),
  snapshotVm: (pve) =>
    pve.snapshotVm({ node: 'n', vmid: 1 }, { snapshot: 's', description: '', withMemory: false }),
  deleteSnapshot: (pve) => pve.deleteSnapshot({ node: 'n', vmid: 1 }, 's'),
  rollbackVm: (pve) => pve.rollbackVm({ node: 'n', vmid: 1 }, { snapshot: 's', start: false }),
  startVm: (pve) => pve.startVm({ node: 'n', vmid: 1 }),
  stopVm: (pve) => pve.stopVm({ node: 'n', vmid: 1 }),
  deleteVm: (pve) => pve.deleteVm({ node: 'n', vmid: 1 }, { purge: true }),
  shutdownVm: (pve) => pve.shutdownVm({ node: 'n', vmid: 1 }, { timeout: 60, force: true }),
  rebootVm: (pve) => pve.rebootVm({ node: 'n', vmid: 1 }, { timeout: 60 }),
  suspendVm: (pve) => pve.suspendVm({ node: 'n', vmid: 1 }, 's'),
  resumeVm: (pve) => pve.resumeVm({ node: 'n', vmid: 1 }),
  vmStatus: (pve) => pve.vmStatus({ node: 'n', vmid: 1 }),
  tasks: (pve) => pve.tasks('n', { source: 'active' }),
  taskStatus: (pve) => pve.taskStatus(UPID),
  taskLog: (pve) => pve.taskLog(UPID, 10),
  taskLogEnds: (pve) => pve.taskLogEnds(UPID, 10),
};

/** Field names that the client looks for, and some that reach a prototype. */
const FIELDS =
  'data message errors total changes type status node vmid name id userid comment groups poolid members plugintype shared ugid path roleid iface bridge_vlan_aware active comments upid starttime user exitstatus t n release version realm groupid storage content description digest lock net0 vnet volid map disable nodes manager_status node_status __proto__ constructor toString valueOf hasOwnProperty'.split(
    ' ',
  );
const hostileText = fc.constantFrom(
  '',
  '..',
  '../../x',
  '\u001b[2J',
  '\u009b31m',
  '1e999',
  '-1',
  'NaN',
  UPID,
  'a\u0000b',
  '\ud800',
);

const { value: hostileValue } = fc.letrec<{ value: unknown; row: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    hostileText,
    fc.constantFrom(null, true, -1, 1.5, 1e308),
    fc.array(tie('row'), { maxLength: 3 }),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('row'),
  ),
  row: fc.array(fc.tuple(fc.constantFrom(...FIELDS), tie('value')), { maxLength: 6 }).map((entries) =>
    // JSON.parse, unlike a literal, makes "__proto__" a key like any other.
    JSON.parse(
      `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`,
    ),
  ),
}));

test('whatever a server answers, every method gives a result or an error of ours', async () => {
  let body = '';
  let status = 200;
  // What sockets do to an answer is looked at above; they would take most of the time here.
  const connect: Connect = (host) => ({
    host,
    send: () => Promise.resolve({ status, reason: STATUS_CODES[status] ?? '', body }),
    close: () => undefined,
  });
  const methods = Object.entries(CALLS);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        { weight: 4, arbitrary: hostileValue.map((data) => ({ data })) },
        { weight: 1, arbitrary: hostileValue },
      ),
      fc.constantFrom(200, 200, 200, 400, 401, 403, 500, 596),
      async (answer, given) => {
        body = JSON.stringify(answer);
        status = given;
        const client = clientOf('http://127.0.0.1', connect);
        for (const [name, call] of methods) {
          const outcome = await call(client).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (outcome !== undefined && !(outcome instanceof StandError))
            throw new Error(`${name}: ${outcome instanceof Error ? outcome.stack : 'no error'}`);
          if (outcome instanceof StandError && outcome.exitCode === 1) throw outcome;
        }
        client.close();
        expect(Object.keys(Object.prototype)).toEqual([]);
      },
    ),
    fuzzRuns(15),
  );
});
