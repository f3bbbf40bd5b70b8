import nock from 'nock';
import { describe, expect, test } from 'vitest';
import { AuthError, PveError } from '../../src/lib/proxmox/errors.ts';
import type { PveClient } from '../../src/lib/proxmox/client.ts';
import type { PveApi, WriteWitness } from '../../src/lib/proxmox/types.ts';
import { BALANCE_METHODS } from './balance-methods.ts';
import { client, failure, fakeClock, ORIGIN, UPID } from './support.ts';
import { useNock } from './use-nock.ts';

useNock();

/** What no endpoint is behind. */
const OF_THE_CLIENT: readonly string[] = ['close', 'forStep', 'requests'] satisfies Exclude<
  keyof PveClient,
  keyof PveApi
>[];

const BASE = '/api2/json';
const UPID_PATH = encodeURIComponent(UPID);

/** One call: what is asked, what comes back, and what the caller gets. */
interface Case {
  readonly name: string;
  readonly call: (pve: PveClient) => Promise<unknown>;
  readonly asks: `${'GET' | 'POST' | 'PUT' | 'DELETE'} ${string}`;
  /** The form body; absent: none. */
  readonly form?: string;
  readonly answer: unknown;
  readonly gives?: unknown;
}

/** nock hands over forms it can parse; the raw text is what PVE gets. */
function expectOne({ asks, form, answer }: Pick<Case, 'asks' | 'form' | 'answer'>): void {
  const [method = '', path = ''] = asks.split(' ');
  nock(ORIGIN)
    .intercept(BASE + path, method)
    .reply(function (_uri, body) {
      const sent = typeof body === 'string' ? body : JSON.stringify(body);
      return sent === (form ?? '') ? [200, answer as nock.Body] : [400, { message: `form was ${sent}` }];
    });
}

const covered = new Set<string>();
function check(cases: readonly Case[]): void {
  test.each(cases)('$name', async ({ call, gives, ...one }) => {
    expectOne(one);
    expect(await call(client())).toEqual(gives);
  });
  for (const { call } of cases) covered.add(/pve\.(\w+)/.exec(String(call))?.[1] ?? '');
}

describe('cluster', () => {
  check([
    {
      name: 'version',
      call: (pve) => pve.version(),
      asks: 'GET /version',
      answer: { data: { version: '8.4.5', release: '8.4', repoid: 'abc' } },
      gives: { version: '8.4.5', release: '8.4' },
    },
    {
      name: 'clusterStatus of a cluster',
      call: (pve) => pve.clusterStatus(),
      asks: 'GET /cluster/status',
      answer: {
        data: [
          { type: 'cluster', id: 'cluster', name: 'school', quorate: 1, nodes: 2, version: 4 },
          { type: 'node', id: 'node/pve1', name: 'pve1', online: 1, local: 1 },
          { type: 'node', id: 'node/pve2', name: 'pve2', online: 0 },
        ],
      },
      gives: {
        cluster: { name: 'school', quorate: true },
        nodes: [
          { name: 'pve1', online: true },
          { name: 'pve2', online: false },
        ],
      },
    },
    {
      name: 'clusterStatus of a node by itself',
      call: (pve) => pve.clusterStatus(),
      asks: 'GET /cluster/status',
      answer: { data: [{ type: 'node', id: 'node/pve', name: 'pve', online: 1, local: 1 }] },
      gives: { nodes: [{ name: 'pve', online: true }] },
    },
    {
      name: 'resources: numbers may be texts, flags 0/1, and unknown kinds pass',
      call: (pve) => pve.resources(),
      asks: 'GET /cluster/resources',
      answer: {
        data: [
          {
            id: 'qemu/100',
            type: 'qemu',
            node: 'pve1',
            vmid: '100',
            status: 'unknown',
            template: 1,
            lock: 'clone',
            maxmem: '2147483648',
            cpu: 0.5,
          },
          {
            id: 'node/pve1',
            type: 'node',
            node: 'pve1',
            status: 'online',
            hastate: 'maintenance',
            maxcpu: 8,
            cpu: 'nan',
          },
          {
            id: 'storage/pve1/nfs',
            type: 'storage',
            storage: 'nfs',
            plugintype: 'nfs',
            shared: '1',
            content: 'images',
          },
          { type: 'network', network: 'zone1' },
        ],
      },
      gives: [
        {
          id: 'qemu/100',
          type: 'qemu',
          node: 'pve1',
          vmid: 100,
          status: 'unknown',
          template: true,
          lock: 'clone',
          maxmem: 2147483648,
          cpu: 0.5,
        },
        { id: 'node/pve1', type: 'node', node: 'pve1', status: 'online', hastate: 'maintenance', maxcpu: 8 },
        {
          id: 'storage/pve1/nfs',
          type: 'storage',
          storage: 'nfs',
          plugintype: 'nfs',
          shared: true,
          content: 'images',
        },
        { id: '', type: 'network' },
      ],
    },
    {
      name: 'nodeHaStates',
      call: (pve) => pve.nodeHaStates(),
      asks: 'GET /cluster/ha/status/manager_status',
      answer: {
        data: { manager_status: { node_status: { pve1: 'online', pve2: 'maintenance' } }, quorum: {} },
      },
      gives: { pve1: 'online', pve2: 'maintenance' },
    },
    {
      name: 'nodeHaStates without an HA manager',
      call: (pve) => pve.nodeHaStates(),
      asks: 'GET /cluster/ha/status/manager_status',
      answer: { data: { manager_status: null } },
      gives: {},
    },
    {
      name: 'removeHaResource',
      call: (pve) => pve.removeHaResource({ vmid: 10201 }),
      asks: 'DELETE /cluster/ha/resources/vm%3A10201',
      answer: { data: null },
    },
    {
      name: 'removeHaResource of a container',
      call: (pve) => pve.removeHaResource({ vmid: 10201, type: 'lxc' }),
      asks: 'DELETE /cluster/ha/resources/ct%3A10201',
      answer: { data: null },
    },
  ]);

  test('serverTime', async () => {
    const clock = fakeClock();
    const pve = client({}, { clock });
    nock(ORIGIN)
      .get(`${BASE}/version`)
      .reply(200, { data: { version: '9.2.1', release: '9.2' } }, { Date: 'Sun, 01 Mar 2026 10:00:00 GMT' });
    await pve.version();
    clock.advance(60_000);
    expect(pve.serverTime()).toEqual(new Date('2026-03-01T10:01:00Z'));
    covered.add('serverTime');
  });
});

describe('access', () => {
  check([
    {
      name: 'users',
      call: (pve) => pve.users(),
      asks: 'GET /access/users?full=1',
      answer: {
        data: [
          {
            userid: 'anna@pve',
            comment: 'deploy-stand user\n',
            enable: 0,
            expire: '1790000000',
            email: 'a@x',
            firstname: 'Anna',
            lastname: 'Ö',
            groups: 'g1,g2',
            tokens: [],
          },
          { userid: 'root@pam', enable: 1, expire: 0, groups: '' },
        ],
      },
      gives: [
        {
          userid: 'anna@pve',
          comment: 'deploy-stand user',
          enabled: false,
          expire: 1790000000,
          email: 'a@x',
          firstName: 'Anna',
          lastName: 'Ö',
          groups: ['g1', 'g2'],
        },
        {
          userid: 'root@pam',
          comment: '',
          enabled: true,
          expire: 0,
          email: '',
          firstName: '',
          lastName: '',
          groups: [],
        },
      ],
    },
    {
      name: 'createUser with everything',
      call: (pve) =>
        pve.createUser({
          userid: 'anna@pve',
          password: 'a;b=c',
          comment: 'mark',
          groups: ['g1', 'g2'],
          email: 'a@x',
          firstName: 'Anna',
          lastName: 'B',
          expire: 1790000000,
        }),
      asks: 'POST /access/users',
      form:
        'userid=anna%40pve&password=a%3Bb%3Dc&comment=mark&groups=g1%2Cg2&email=a%40x' +
        '&firstname=Anna&lastname=B&expire=1790000000',
      answer: { data: null },
    },
    {
      name: 'createUser of a directory: no password, no empty values',
      call: (pve) => pve.createUser({ userid: 'anna@ldap', comment: '', groups: [] }),
      asks: 'POST /access/users',
      form: 'userid=anna%40ldap',
      answer: { data: null },
    },
    {
      name: 'user',
      call: (pve) => pve.user('anna@pve'),
      asks: 'GET /access/users/anna%40pve',
      answer: { data: { enable: 1, expire: 0, comment: 'mark\n', groups: ['g1'], tokens: {} } },
      gives: { comment: 'mark', enabled: true },
    },
    {
      name: 'createUser disabled',
      call: (pve) => pve.createUser({ userid: 'anna@pve', comment: 'mark', groups: [], enable: false }),
      asks: 'POST /access/users',
      form: 'userid=anna%40pve&comment=mark&enable=0',
      answer: { data: null },
    },
    {
      name: 'updateUser: only what is named',
      call: (pve) => pve.updateUser('anna@pve', { firstName: 'Anya', expire: 0, groups: ['g1', 'g2'] }),
      asks: 'PUT /access/users/anna%40pve',
      form: 'groups=g1%2Cg2&firstname=Anya&expire=0',
      answer: { data: null },
    },
    {
      name: 'updateUser: disabled',
      call: (pve) => pve.updateUser('anna@pve', { comment: 'mark disabled', enable: false }),
      asks: 'PUT /access/users/anna%40pve',
      form: 'comment=mark%20disabled&enable=0',
      answer: { data: null },
    },
    {
      name: 'setPassword with a token is left to PVE to refuse',
      call: (pve) => pve.setPassword('anna@pve', 'a;b=c'),
      asks: 'PUT /access/password',
      form: 'userid=anna%40pve&password=a%3Bb%3Dc',
      answer: { data: null },
    },
    {
      name: 'deleteUser',
      call: (pve) => pve.deleteUser('anna@pve'),
      asks: 'DELETE /access/users/anna%40pve',
      answer: { data: null },
    },
    {
      name: 'realms',
      call: (pve) => pve.realms(),
      asks: 'GET /access/domains',
      answer: { data: [{ realm: 'pve', type: 'pve', comment: 'x' }] },
      gives: [{ realm: 'pve', type: 'pve' }],
    },
    {
      name: 'groups',
      call: (pve) => pve.groups(),
      asks: 'GET /access/groups',
      answer: { data: [{ groupid: 'g1', users: 'a@pve' }] },
      gives: ['g1'],
    },
    {
      name: 'roles',
      call: (pve) => pve.roles(),
      asks: 'GET /access/roles',
      answer: {
        data: [{ roleid: 'PVEVMAdmin', privs: 'VM.Audit,VM.Clone', special: 1 }, { roleid: 'NoAccess' }],
      },
      gives: [
        { role: 'PVEVMAdmin', privileges: ['VM.Audit', 'VM.Clone'] },
        { role: 'NoAccess', privileges: [] },
      ],
    },
    {
      name: 'createRole',
      call: (pve) => pve.createRole('DeployStandStudent', ['VM.Audit', 'VM.Console']),
      asks: 'POST /access/roles',
      form: 'roleid=DeployStandStudent&privs=VM.Audit%2CVM.Console',
      answer: { data: null },
    },
    {
      name: 'permissions: privileges by path, and whether they reach below it',
      call: (pve) => pve.permissions(),
      asks: 'GET /access/permissions',
      answer: { data: { '/sdn/zones': { 'SDN.Audit': 1, 'SDN.Use': '0' }, '/vms': { 'VM.Audit': true } } },
      gives: { '/sdn/zones': { 'SDN.Audit': true, 'SDN.Use': false }, '/vms': { 'VM.Audit': true } },
    },
    {
      name: 'permissions: none',
      call: (pve) => pve.permissions(),
      asks: 'GET /access/permissions',
      answer: { data: {} },
      gives: {},
    },
    {
      name: 'isVmidFree: PVE gives the id back',
      call: (pve) => pve.isVmidFree(10000),
      asks: 'GET /cluster/nextid?vmid=10000',
      answer: { data: '10000' },
      gives: true,
    },
    {
      name: 'acls: kinds that we do not know are left out',
      call: (pve) => pve.acls(),
      asks: 'GET /access/acl',
      answer: {
        data: [
          { path: '/pool/a', roleid: 'R', ugid: 'a@pve', type: 'user', propagate: 1 },
          { path: '/', roleid: 'R', ugid: 'a@pve!t', type: 'token', propagate: '0' },
          { path: '/', roleid: 'R', ugid: 'x', type: 'robot' },
        ],
      },
      gives: [
        { path: '/pool/a', role: 'R', subject: 'a@pve', type: 'user', propagate: true },
        { path: '/', role: 'R', subject: 'a@pve!t', type: 'token', propagate: false },
      ],
    },
    {
      name: 'grant',
      call: (pve) =>
        pve.grant({ path: '/pool/anna', role: 'PVEVMAdmin', userid: 'anna@pve', propagate: true }),
      asks: 'PUT /access/acl',
      form: 'path=%2Fpool%2Fanna&roles=PVEVMAdmin&users=anna%40pve&propagate=1',
      answer: { data: null },
    },
    {
      name: 'grant without propagation',
      call: (pve) => pve.grant({ path: '/vms/1', role: 'R', userid: 'a@pve', propagate: false }),
      asks: 'PUT /access/acl',
      form: 'path=%2Fvms%2F1&roles=R&users=a%40pve&propagate=0',
      answer: { data: null },
    },
    {
      name: 'revoke',
      call: (pve) => pve.revoke({ path: '/pool/anna', role: 'PVEVMAdmin', userid: 'anna@pve' }),
      asks: 'PUT /access/acl',
      form: 'path=%2Fpool%2Fanna&roles=PVEVMAdmin&users=anna%40pve&delete=1',
      answer: { data: null },
    },
  ]);

  const refused = (status: number, message: string) =>
    nock(ORIGIN).get(`${BASE}/access/users/anna%40pve`).reply(status, { data: null, message });

  test('user: undefined when there is none', async () => {
    refused(500, "no such user ('anna@pve')\n");
    expect(await client().user('anna@pve')).toBeUndefined();
  });

  test('user: not being allowed to look is no proof', async () => {
    refused(403, 'Permission check failed (/access/groups, User.Modify|Sys.Audit)');
    expect(await failure(client().user('anna@pve'))).toBeInstanceOf(AuthError);
  });
});

describe('pools', () => {
  check([
    {
      name: 'pools',
      call: (pve) => pve.pools(),
      asks: 'GET /pools',
      answer: { data: [{ poolid: 'anna', comment: 'deploy-stand user=anna@pve\nlab=a\n' }, { poolid: 'b' }] },
      gives: [
        { pool: 'anna', comment: 'deploy-stand user=anna@pve\nlab=a' },
        { pool: 'b', comment: '' },
      ],
    },
    {
      name: 'createPool',
      call: (pve) => pve.createPool('anna', 'deploy-stand user=anna@pve\nlab=a'),
      asks: 'POST /pools',
      form: 'poolid=anna&comment=deploy-stand%20user%3Danna%40pve%0Alab%3Da',
      answer: { data: null },
    },
  ]);

  const cases = [
    {
      name: 'claiming',
      call: (pve: PveClient) => pve.updatePool('anna', { comment: 'c', addVmids: [10201, 10202] }),
      old: ['PUT /pools/anna', 'comment=c&vms=10201%2C10202'],
      recent: ['PUT /pools', 'poolid=anna&comment=c&vms=10201%2C10202'],
    },
    {
      name: 'releasing',
      call: (pve: PveClient) => pve.updatePool('anna', { removeVmids: [10201] }),
      old: ['PUT /pools/anna', 'vms=10201&delete=1'],
      recent: ['PUT /pools', 'poolid=anna&vms=10201&delete=1'],
    },
    {
      name: 'releasing, with the comment in the same call',
      call: (pve: PveClient) => pve.updatePool('anna', { comment: 'c', removeVmids: [10201, 10202] }),
      old: ['PUT /pools/anna', 'comment=c&vms=10201%2C10202&delete=1'],
      recent: ['PUT /pools', 'poolid=anna&comment=c&vms=10201%2C10202&delete=1'],
    },
    {
      name: 'emptying the comment',
      call: (pve: PveClient) => pve.updatePool('anna', { comment: '' }),
      old: ['PUT /pools/anna', 'comment='],
      recent: ['PUT /pools', 'poolid=anna&comment='],
    },
    {
      name: 'deleting',
      call: (pve: PveClient) => pve.deletePool('anna'),
      old: ['DELETE /pools/anna', ''],
      recent: ['DELETE /pools?poolid=anna', ''],
    },
  ] as const;
  for (const method of ['updatePool', 'deletePool']) covered.add(method);

  describe.each([
    { release: '7.4', form: 'old' },
    { release: '8.0', form: 'old' },
    { release: '8.1', form: 'recent' },
    { release: '8.4', form: 'recent' },
    { release: '9.2', form: 'recent' },
    { release: '10.0', form: 'recent' },
  ] as const)('on $release', ({ release, form }) => {
    test.each(cases)('$name', async (one) => {
      const [asks, body] = one[form];
      expectOne({ asks: 'GET /version', answer: { data: { version: release, release } } });
      expectOne({ asks: asks, form: body, answer: { data: null } });
      const done: Promise<unknown> = one.call(client());
      expect(await done).toBeUndefined();
    });
  });

  const members = [
    { id: 'qemu/10201', type: 'qemu', vmid: '10201', node: 'pve1' },
    { id: 'storage/pve1/nfs', type: 'storage', storage: 'nfs', node: 'pve1' },
    { id: 'lxc/300', type: 'lxc', vmid: 300, node: 'pve2' },
  ];
  const found = { comment: 'c\nlab=a', vmids: [10201, 300] };
  test.each([
    {
      name: '7.4',
      release: '7.4',
      asks: 'GET /pools/anna' as const,
      data: { comment: 'c\nlab=a\n', members },
      gives: found,
    },
    {
      name: '8.4: a list of one',
      release: '8.4',
      asks: 'GET /pools?poolid=anna' as const,
      data: [{ poolid: 'anna', comment: 'c\nlab=a\n', members }],
      gives: found,
    },
    {
      name: '9.2, empty',
      release: '9.2',
      asks: 'GET /pools?poolid=anna' as const,
      data: [{ poolid: 'anna' }],
      gives: { comment: '', vmids: [] },
    },
  ])('pool on $name', async ({ release, asks, data, gives }) => {
    expectOne({ asks: 'GET /version', answer: { data: { version: release, release } } });
    expectOne({ asks, answer: { data } });
    expect(await client().pool('anna')).toEqual(gives);
  });
  covered.add('pool');

  test.each([
    { status: 500, message: "pool 'anna' does not exist\n" },
    { status: 403, message: "Permission check failed (pool 'anna' does not exist)\n" },
  ])('pool: undefined when there is none ($status)', async ({ status, message }) => {
    expectOne({ asks: 'GET /version', answer: { data: { version: '8.4.1', release: '8.4' } } });
    nock(ORIGIN).get(`${BASE}/pools?poolid=anna`).reply(status, { data: null, message });
    expect(await client().pool('anna')).toBeUndefined();
  });

  test('pool: not being allowed to look is no proof', async () => {
    expectOne({ asks: 'GET /version', answer: { data: { version: '8.4.1', release: '8.4' } } });
    const message = 'Permission check failed (/pool/anna, Pool.Audit)\n';
    nock(ORIGIN).get(`${BASE}/pools?poolid=anna`).reply(403, { data: null, message });
    expect(await failure(client().pool('anna'))).toBeInstanceOf(AuthError);
  });

  test('the version is asked for once', async () => {
    expectOne({ asks: 'GET /version', answer: { data: { version: '8.4.1', release: '8.4' } } });
    nock(ORIGIN).put(`${BASE}/pools`).times(3).reply(200, { data: null });
    const pve = client();
    for (let i = 0; i < 3; i += 1) await pve.updatePool('anna', { comment: 'c' });
  });

  test('the version is asked for once by those who need it at once', async () => {
    expectOne({ asks: 'GET /version', answer: { data: { version: '8.4.1', release: '8.4' } } });
    nock(ORIGIN).put(`${BASE}/pools`).times(3).reply(200, { data: null });
    const pve = client();
    await Promise.all([1, 2, 3].map(() => pve.updatePool('anna', { comment: 'c' })));
  });

  test('who has asked for the version needs no other answer', async () => {
    expectOne({ asks: 'GET /version', answer: { data: { version: '8.4.1', release: '8.4' } } });
    nock(ORIGIN).put(`${BASE}/pools`).reply(200, { data: null });
    const pve = client();
    await pve.version();
    await pve.updatePool('anna', { comment: 'c' });
  });

  test('whoever asked for the version was stopped: others ask for themselves', async () => {
    expectOne({ asks: 'GET /version', answer: { data: { version: '8.4.1', release: '8.4' } } });
    nock(ORIGIN).put(`${BASE}/pools`).reply(200, { data: null });
    const pve = client();
    const stop = new AbortController();
    const stopped = failure(pve.updatePool('anna', { comment: 'c' }, stop.signal));
    const other = pve.updatePool('anna', { comment: 'c' });
    stop.abort(new Error('stopped'));
    expect(await stopped).toMatchObject({ message: 'stopped' });
    await other;
  });

  test('adding and removing at once is a mistake of ours', async () => {
    const error = await failure(client().updatePool('anna', { addVmids: [1], removeVmids: [2] }));
    expect(error).toMatchObject({ exitCode: 1 });
  });
});

describe('what nodes have that configurations name', () => {
  check([
    {
      name: 'storageDefinitions',
      call: (pve) => pve.storageDefinitions(),
      asks: 'GET /storage',
      answer: {
        data: [
          { storage: 'ceph', type: 'rbd', content: 'images' },
          { storage: 'old', type: 'dir', disable: 1, nodes: 'pve1,pve2' },
        ],
      },
      gives: [
        { storage: 'ceph', disabled: false },
        { storage: 'old', disabled: true, nodes: ['pve1', 'pve2'] },
      ],
    },
    {
      name: 'storageFiles',
      call: (pve) => pve.storageFiles({ node: 'pve1', storage: 'local', content: 'snippets' }),
      asks: 'GET /nodes/pve1/storage/local/content?content=snippets',
      answer: { data: [{ volid: 'local:snippets/a.yml', content: 'snippets', format: 'snippet', size: 5 }] },
      gives: ['local:snippets/a.yml'],
    },
    {
      name: 'mappings',
      call: (pve) => pve.mappings('pci'),
      asks: 'GET /cluster/mapping/pci',
      answer: {
        data: [
          {
            id: 'gpu',
            map: [
              'id=10de:1b38,iommugroup=3,node=pve1,path=0000:01:00.0',
              'id=10de:1b38,node=pve3,path=0000:02:00.0',
            ],
          },
          { id: 'none' },
        ],
      },
      gives: [
        { id: 'gpu', nodes: ['pve1', 'pve3'] },
        { id: 'none', nodes: [] },
      ],
    },
    {
      name: 'machineTypes',
      call: (pve) => pve.machineTypes('pve1'),
      asks: 'GET /nodes/pve1/capabilities/qemu/machines',
      answer: { data: [{ id: 'pc-q35-9.2+pve1', type: 'q35', version: '9.2+pve1', changes: 'x' }] },
      gives: ['pc-q35-9.2+pve1'],
    },
  ]);

  test('mappings: none before 8', async () => {
    nock(ORIGIN).get(`${BASE}/cluster/mapping/usb`).reply(501, '');
    expect(await client().mappings('usb')).toEqual([]);
  });
});

describe('network', () => {
  check([
    {
      name: 'network',
      call: (pve) => pve.network('pve1'),
      asks: 'GET /nodes/pve1/network',
      answer: {
        data: [
          {
            iface: 'vmbr0',
            type: 'bridge',
            active: 1,
            bridge_ports: 'eno1',
            cidr: '192.0.2.10/24',
            address: '192.0.2.10',
            netmask: '24',
            gateway: '192.0.2.1',
            cidr6: '2001:db8::10/64',
            address6: '2001:db8::10',
            gateway6: '2001:db8::1',
            autostart: 1,
            comments: 'uplink\n',
          },
          {
            iface: 'vmbr1000',
            type: 'bridge',
            bridge_vlan_aware: 1,
            bridge_ports: '',
            comments: 'deploy-stand lab=a\n',
          },
          { iface: 'bond0', type: 'bond', slaves: 'eno2 eno3', bond_mode: 'active-backup' },
          {
            iface: 'uplink',
            type: 'vlan',
            'vlan-raw-device': 'vmbr0',
            'vlan-id': 7,
            address: '198.51.100.7',
          },
          { iface: 'odd' },
        ],
        changes: '--- a\n+++ b\n',
      },
      gives: {
        rows: [
          {
            iface: 'vmbr0',
            type: 'bridge',
            active: true,
            autostart: true,
            vlanAware: false,
            ports: ['eno1'],
            addresses: ['192.0.2.10/24', '2001:db8::10/64'],
            gateways: ['192.0.2.1', '2001:db8::1'],
            comments: 'uplink',
          },
          {
            iface: 'vmbr1000',
            type: 'bridge',
            active: false,
            autostart: false,
            vlanAware: true,
            ports: [],
            addresses: [],
            gateways: [],
            comments: 'deploy-stand lab=a',
          },
          {
            iface: 'bond0',
            type: 'bond',
            active: false,
            autostart: false,
            vlanAware: false,
            ports: ['eno2', 'eno3'],
            addresses: [],
            gateways: [],
            comments: '',
          },
          {
            iface: 'uplink',
            type: 'vlan',
            active: false,
            autostart: false,
            vlanAware: false,
            ports: [],
            rawDevice: 'vmbr0',
            addresses: ['198.51.100.7'],
            gateways: [],
            comments: '',
          },
          {
            iface: 'odd',
            type: 'unknown',
            active: false,
            autostart: false,
            vlanAware: false,
            ports: [],
            addresses: [],
            gateways: [],
            comments: '',
          },
        ],
        changes: '--- a\n+++ b\n',
      },
    },
    {
      name: 'network without staged edits',
      call: (pve) => pve.network('pve1'),
      asks: 'GET /nodes/pve1/network',
      answer: { data: [], changes: null },
      gives: { rows: [], changes: '' },
    },
    {
      name: 'createBridge never sends bridge_vlan_aware=0 or bridge_ports',
      call: (pve) =>
        pve.createBridge('pve1', { iface: 'vmbr1000', vlanAware: false, comment: 'deploy-stand lab=a' }),
      asks: 'POST /nodes/pve1/network',
      form: 'iface=vmbr1000&type=bridge&autostart=1&comments=deploy-stand%20lab%3Da',
      answer: { data: null },
    },
    {
      name: 'createBridge, VLAN-aware',
      call: (pve) => pve.createBridge('pve1', { iface: 'vmbr1001', vlanAware: true, comment: '' }),
      asks: 'POST /nodes/pve1/network',
      form: 'iface=vmbr1001&type=bridge&autostart=1&bridge_vlan_aware=1',
      answer: { data: null },
    },
    {
      name: 'deleteBridge',
      call: (pve) => pve.deleteBridge('pve1', 'vmbr1000'),
      asks: 'DELETE /nodes/pve1/network/vmbr1000',
      answer: { data: null },
    },
    {
      name: 'reloadNetwork',
      call: (pve) => pve.reloadNetwork('pve1'),
      asks: 'PUT /nodes/pve1/network',
      answer: { data: UPID },
      gives: UPID,
    },
  ]);

  test.each([
    ['no address', { iface: 'vmbr1000', type: 'bridge' }, ''],
    [
      'both addresses, which PVE would drop if they were not sent again',
      { iface: 'vmbr1000', type: 'bridge', cidr: '10.0.0.1/24', cidr6: 'fd00::1/64', gateway: '10.0.0.254' },
      '&cidr=10.0.0.1%2F24&cidr6=fd00%3A%3A1%2F64',
    ],
  ])('updateBridge with %s', async (_name, row, extra) => {
    expectOne({
      asks: 'GET /nodes/pve1/network',
      answer: { data: [{ iface: 'vmbr0', cidr: '1.2.3.4/8' }, row] },
    });
    expectOne({
      asks: 'PUT /nodes/pve1/network/vmbr1000',
      form: `type=bridge&bridge_vlan_aware=1&comments=m${extra}`,
      answer: { data: null },
    });
    await client().updateBridge('pve1', { iface: 'vmbr1000', vlanAware: true, comment: 'm' });
    covered.add('updateBridge');
  });

  test('vnets: none where SDN is not installed', async () => {
    nock(ORIGIN).get(`${BASE}/cluster/sdn/vnets?pending=1`).reply(501, '');
    expect(await client().vnetZones()).toEqual([]);
  });

  test('vnets: zones are asked for only where there are any', async () => {
    nock(ORIGIN).get(`${BASE}/cluster/sdn/vnets?pending=1`).reply(200, { data: [] });
    expect(await client().vnetZones()).toEqual([]);
  });

  test('vnets: other refusals are errors', async () => {
    nock(ORIGIN)
      .get(`${BASE}/cluster/sdn/vnets?pending=1`)
      .reply(403, { message: 'Permission check failed' });
    expect(await failure(client().vnetZones())).toBeInstanceOf(AuthError);
  });
});

describe('guests', () => {
  const change = {
    set: { cores: '2', net0: 'virtio=AA:BB,tag=5', tags: 'a;b' },
    remove: ['net1', 'net2'],
    digest: 'd1',
  };
  const form = 'cores=2&net0=virtio%3DAA%3ABB%2Ctag%3D5&tags=a%3Bb&delete=net1%2Cnet2&digest=d1';
  check([
    {
      name: 'nodeVms',
      call: (pve) => pve.nodeVms({ node: 'pve1' }),
      asks: 'GET /nodes/pve1/qemu',
      answer: {
        data: [
          { vmid: '100', name: 'a', status: 'stopped', lock: 'clone' },
          { vmid: 101, status: 'running' },
        ],
      },
      gives: [
        { vmid: 100, name: 'a', status: 'stopped', lock: 'clone' },
        { vmid: 101, status: 'running' },
      ],
    },
    {
      name: 'guestConfig: values become texts, the description loses its newline, nothing reaches a prototype',
      call: (pve) => pve.guestConfig({ node: 'pve1', vmid: 100 }),
      asks: 'GET /nodes/pve1/qemu/100/config',
      answer:
        '{"data":{"cores":2,"name":"a","onboot":true,"description":"x\\ny\\n","digest":"d","__proto__":"p","o":{}}}',
      gives: { cores: '2', name: 'a', onboot: '1', description: 'x\ny', digest: 'd' },
    },
    {
      name: 'vmPending: what runs, and what the next start makes of it',
      call: (pve) => pve.vmPending({ node: 'pve1', vmid: 100 }),
      asks: 'GET /nodes/pve1/qemu/100/pending',
      answer: {
        data: [
          { key: 'cores', value: 2, pending: 4 },
          { key: 'net0', value: 'virtio=AA,bridge=vmbr0' },
          { key: 'net1', value: 'virtio=BB,bridge=vmbr1', delete: 1 },
          { key: 'net2', pending: 'virtio=CC,bridge=vmbr2' },
        ],
      },
      gives: {
        now: { cores: '2', net0: 'virtio=AA,bridge=vmbr0', net1: 'virtio=BB,bridge=vmbr1' },
        next: { cores: '4', net2: 'virtio=CC,bridge=vmbr2' },
      },
    },
    {
      name: 'guestConfig of a container',
      call: (pve) => pve.guestConfig({ node: 'pve1', vmid: 300, type: 'lxc' }),
      asks: 'GET /nodes/pve1/lxc/300/config',
      answer: {
        data: { hostname: 'dns', cores: 1, net0: 'name=eth0,bridge=vmbr1000', lxc: [['lxc.a', 'b']] },
      },
      gives: { hostname: 'dns', cores: '1', net0: 'name=eth0,bridge=vmbr1000', lxc: 'lxc.a=b' },
    },
    {
      name: 'nodeVms, containers',
      call: (pve) => pve.nodeVms({ node: 'pve1', type: 'lxc' }),
      asks: 'GET /nodes/pve1/lxc',
      answer: { data: [{ vmid: '100', name: 'a', status: 'stopped' }] },
      gives: [{ vmid: 100, name: 'a', status: 'stopped' }],
    },
    {
      name: 'cloneVm, linked, on the same node',
      call: (pve) =>
        pve.cloneVm({
          node: 'pve1',
          target: 'pve1',
          templateVmid: 100,
          vmid: 10201,
          name: 'web',
          description: 'deploy-stand lab=a vmid=10201',
          full: false,
        }),
      asks: 'POST /nodes/pve1/qemu/100/clone',
      form: 'newid=10201&name=web&description=deploy-stand%20lab%3Da%20vmid%3D10201&full=0',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'cloneVm, full, to another node and storage',
      call: (pve) =>
        pve.cloneVm({
          node: 'pve1',
          target: 'pve2',
          templateVmid: 100,
          vmid: 10201,
          name: 'web',
          description: 'm',
          full: true,
          storage: 'nfs',
          pool: 'anna',
        }),
      asks: 'POST /nodes/pve1/qemu/100/clone',
      form: 'newid=10201&name=web&description=m&full=1&target=pve2&storage=nfs&pool=anna',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'cloneVm of a container',
      call: (pve) =>
        pve.cloneVm({
          ...{ node: 'pve1', target: 'pve1', templateVmid: 100, vmid: 10201, type: 'lxc' },
          ...{ name: 'web', description: 'm', full: true },
        }),
      asks: 'POST /nodes/pve1/lxc/100/clone',
      form: 'newid=10201&hostname=web&description=m&full=1',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'updateVmConfig',
      call: (pve) => pve.updateVmConfig({ node: 'pve1', vmid: 10201 }, change),
      asks: 'PUT /nodes/pve1/qemu/10201/config',
      form,
      answer: { data: null },
    },
    {
      name: 'updateVmConfig encodes plain ssh keys twice, as PVE wants them',
      call: (pve) =>
        pve.updateVmConfig(
          { node: 'pve1', vmid: 1000 },
          { set: { sshkeys: 'ssh-ed25519 A+/= a@b' }, remove: [] },
        ),
      asks: 'PUT /nodes/pve1/qemu/1000/config',
      form: 'sshkeys=ssh-ed25519%2520A%252B%252F%253D%2520a%2540b',
      answer: { data: null },
    },
    {
      name: 'updateVmConfig leaves encoded ssh keys alone',
      call: (pve) =>
        pve.updateVmConfig(
          { node: 'pve1', vmid: 1000 },
          { set: { sshkeys: 'ssh-ed25519%20AAAA' }, remove: [] },
        ),
      asks: 'PUT /nodes/pve1/qemu/1000/config',
      form: 'sshkeys=ssh-ed25519%2520AAAA',
      answer: { data: null },
    },
    {
      name: 'snapshots, without the current state',
      call: (pve) => pve.snapshots({ node: 'pve1', vmid: 100 }),
      asks: 'GET /nodes/pve1/qemu/100/snapshot',
      answer: {
        data: [
          { name: 'baseline', description: 'as it was\n', snaptime: 1700000000 },
          { name: 'late', description: '', snaptime: '1700000100', vmstate: 1, parent: 'baseline' },
          { name: 'current' },
        ],
      },
      gives: [
        { name: 'baseline', description: 'as it was', time: 1700000000, vmstate: false },
        { name: 'late', description: '', time: 1700000100, vmstate: true, parent: 'baseline' },
      ],
    },
    {
      name: 'imageSizes',
      call: (pve) => pve.imageSizes({ node: 'pve1', storage: 'nfs' }),
      asks: 'GET /nodes/pve1/storage/nfs/content?content=images',
      answer: { data: [{ volid: 'nfs:100/vm-100-state-late.raw', size: '1024', format: 'raw' }] },
      gives: [{ volid: 'nfs:100/vm-100-state-late.raw', bytes: 1024 }],
    },
    {
      name: 'snapshotConfig',
      call: (pve) => pve.snapshotConfig({ node: 'pve1', vmid: 100 }, 'baseline'),
      asks: 'GET /nodes/pve1/qemu/100/snapshot/baseline/config',
      answer: { data: { net0: 'virtio,bridge=vmbr0', snaptime: 1700000000 } },
      gives: { net0: 'virtio,bridge=vmbr0', snaptime: '1700000000' },
    },
    {
      name: 'deleteSnapshot',
      call: (pve) => pve.deleteSnapshot({ node: 'pve1', vmid: 100 }, 'baseline'),
      asks: 'DELETE /nodes/pve1/qemu/100/snapshot/baseline',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'rollbackVm',
      call: (pve) => pve.rollbackVm({ node: 'pve1', vmid: 100 }, { snapshot: 'baseline', start: true }),
      asks: 'POST /nodes/pve1/qemu/100/snapshot/baseline/rollback',
      form: 'start=1',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'agentAddresses: those that others reach',
      call: (pve) => pve.agentAddresses({ node: 'pve1', vmid: 100 }),
      asks: 'GET /nodes/pve1/qemu/100/agent/network-get-interfaces',
      answer: {
        data: {
          result: [
            { name: 'lo', 'ip-addresses': [{ 'ip-address': '127.0.0.1', prefix: 8 }] },
            {
              name: 'ens18',
              'ip-addresses': [
                { 'ip-address': '10.0.0.5', prefix: 24 },
                { 'ip-address': 'fe80::1', prefix: 64 },
                { 'ip-address': '2001:db8::5', prefix: 64 },
                { 'ip-address': 'no address; rm -rf' },
                { 'ip-address': 5 },
              ],
            },
            { name: 'ens19' },
          ],
        },
      },
      gives: ['10.0.0.5', '2001:db8::5'],
    },
    {
      name: 'agentExec: words stay words',
      call: (pve) => pve.agentExec({ node: 'pve1', vmid: 100 }, ['sh', '-c', 'a b; c=d']),
      asks: 'POST /nodes/pve1/qemu/100/agent/exec',
      form: 'command=sh&command=-c&command=a%20b%3B%20c%3Dd',
      answer: { data: { pid: '77' } },
      gives: { kind: 'answer', value: 77 },
    },
    {
      name: 'agentExec: a pid that is none',
      call: (pve) => pve.agentExec({ node: 'pve1', vmid: 100 }, ['true']),
      asks: 'POST /nodes/pve1/qemu/100/agent/exec',
      form: 'command=true',
      answer: { data: { pid: -1 } },
      gives: { kind: 'garbage' },
    },
    {
      name: 'agentExecStatus: bytes are UTF-8 again, broken ones replaced',
      call: (pve) => pve.agentExecStatus({ node: 'pve1', vmid: 100 }, 77),
      asks: 'GET /nodes/pve1/qemu/100/agent/exec-status?pid=77',
      answer: {
        data: { exited: 1, exitcode: 255, 'out-data': 'Ã©\u00ff', 'err-data': 'x', 'out-truncated': 1 },
      },
      gives: {
        kind: 'answer',
        value: { exit: 255, stdout: 'é\ufffd', stderr: 'x', isTruncated: true },
      },
    },
    ...(
      [
        [{ exited: 0 }, { kind: 'answer', value: 'running' }],
        [{ exited: 'perhaps', exitcode: 0 }, { kind: 'garbage' }],
        [{ exited: 1, exitcode: 'no' }, { kind: 'garbage' }],
        [{ exited: 1, exitcode: 0, 'out-data': ['x'] }, { kind: 'garbage' }],
        [
          { exited: 1, exitcode: 0, 'out-data': 'x'.repeat(2 * 1024 * 1024) },
          { kind: 'answer', value: 'flood' },
        ],
      ] as const
    ).map(([data, gives], at): Case => ({
      name: `agentExecStatus: odd answer ${at}`,
      call: (pve) => pve.agentExecStatus({ node: 'pve1', vmid: 100 }, 77),
      asks: 'GET /nodes/pve1/qemu/100/agent/exec-status?pid=77',
      answer: { data },
      gives,
    })),
    {
      name: 'snapshots, each with its configuration',
      call: (pve) => pve.snapshotConfigs({ node: 'pve1', vmid: 400, type: 'lxc' }),
      asks: 'GET /nodes/pve1/lxc/400/snapshot',
      answer: { data: [{ name: 'current' }] },
      gives: [],
    },
    {
      name: 'convertToTemplate',
      call: (pve) => pve.convertToTemplate({ node: 'pve1', vmid: 100 }),
      asks: 'POST /nodes/pve1/qemu/100/template',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'snapshotVm',
      call: (pve) =>
        pve.snapshotVm(
          { node: 'pve1', vmid: 100 },
          { snapshot: 'baseline', description: 'mark', withMemory: true },
        ),
      asks: 'POST /nodes/pve1/qemu/100/snapshot',
      form: 'snapname=baseline&description=mark&vmstate=1',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'startVm',
      call: (pve) => pve.startVm({ node: 'pve1', vmid: 100 }),
      asks: 'POST /nodes/pve1/qemu/100/status/start',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'stopVm',
      call: (pve) => pve.stopVm({ node: 'pve1', vmid: 100 }),
      asks: 'POST /nodes/pve1/qemu/100/status/stop',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'shutdownVm: the guest is asked, and asked only',
      call: (pve) => pve.shutdownVm({ node: 'pve1', vmid: 100 }, { timeout: 180, force: false }),
      asks: 'POST /nodes/pve1/qemu/100/status/shutdown',
      form: 'timeout=180',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'shutdownVm: with force its power is cut in the end',
      call: (pve) => pve.shutdownVm({ node: 'pve1', vmid: 100 }, { timeout: 60, force: true }),
      asks: 'POST /nodes/pve1/qemu/100/status/shutdown',
      form: 'timeout=60&forceStop=1',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'rebootVm',
      call: (pve) => pve.rebootVm({ node: 'pve1', vmid: 100 }, { timeout: 180 }),
      asks: 'POST /nodes/pve1/qemu/100/status/reboot',
      form: 'timeout=180',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'suspendVm: halts its CPUs',
      call: (pve) => pve.suspendVm({ node: 'pve1', vmid: 100 }, undefined),
      asks: 'POST /nodes/pve1/qemu/100/status/suspend',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'suspendVm: to disk',
      call: (pve) => pve.suspendVm({ node: 'pve1', vmid: 100 }, 'local-zfs'),
      asks: 'POST /nodes/pve1/qemu/100/status/suspend',
      form: 'todisk=1&statestorage=local-zfs',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'resumeVm',
      call: (pve) => pve.resumeVm({ node: 'pve1', vmid: 100 }),
      asks: 'POST /nodes/pve1/qemu/100/status/resume',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'deleteVm: parameters in the query, no body; disks that it does not name stay',
      call: (pve) => pve.deleteVm({ node: 'pve1', vmid: 100 }, { purge: true }),
      asks: 'DELETE /nodes/pve1/qemu/100?purge=1',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'deleteVm through a lock',
      call: (pve) => pve.deleteVm({ node: 'pve1', vmid: 100 }, { purge: true, skipLock: true }),
      asks: 'DELETE /nodes/pve1/qemu/100?purge=1&skiplock=1',
      answer: { data: UPID },
      gives: UPID,
    },
    {
      name: 'vmStatus',
      call: (pve) => pve.vmStatus({ node: 'pve1', vmid: 100 }),
      asks: 'GET /nodes/pve1/qemu/100/status/current',
      answer: { data: { status: 'stopped', lock: 'clone', vmid: 100 } },
      gives: { status: 'stopped', lock: 'clone' },
    },
  ]);

  test.each([
    {
      type: 'qemu',
      folder: 'qemu-server',
      call: (pve: PveClient) => pve.guestConfig({ node: 'pve1', vmid: 100 }),
    },
    {
      type: 'lxc',
      folder: 'lxc',
      call: (pve: PveClient) => pve.guestConfig({ node: 'pve1', vmid: 100, type: 'lxc' }),
    },
  ])('config: undefined when this node has no such $type guest', async ({ type, folder, call }) => {
    const message = `Configuration file 'nodes/pve1/${folder}/100.conf' does not exist\n`;
    nock(ORIGIN).get(`${BASE}/nodes/pve1/${type}/100/config`).reply(500, { data: null, message });
    expect(await call(client())).toBeUndefined();
  });

  test('vmPending: undefined when this node has no such VM; any other refusal is an error', async () => {
    const message = "Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist\n";
    const pending = () => nock(ORIGIN).get(`${BASE}/nodes/pve1/qemu/100/pending`);
    pending().reply(500, { data: null, message });
    expect(await client().vmPending({ node: 'pve1', vmid: 100 })).toBeUndefined();
    pending().reply(500, { data: null, message: "hostname lookup 'pve1' failed" });
    expect(await failure(client().vmPending({ node: 'pve1', vmid: 100 }))).toBeInstanceOf(PveError);
  });

  test('guestConfig: any other refusal is an error', async () => {
    nock(ORIGIN)
      .get(`${BASE}/nodes/pve1/qemu/100/config`)
      .reply(500, { data: null, message: "hostname lookup 'pve1' failed" });
    expect(await failure(client().guestConfig({ node: 'pve1', vmid: 100 }))).toBeInstanceOf(PveError);
  });
});

describe('tasks', () => {
  const row = {
    upid: UPID,
    type: 'qmclone',
    id: '100',
    user: 'lab@pve',
    starttime: 1711276032,
    node: 'pve1',
  };
  const kept = { upid: UPID, type: 'qmclone', id: '100', user: 'lab@pve', starttime: 1711276032 };
  check([
    {
      name: 'tasks, running ones',
      call: (pve) => pve.tasks('pve1', { source: 'active', limit: 500 }),
      asks: 'GET /nodes/pve1/tasks?source=active&limit=500',
      answer: { data: [row, { ...row, status: 'RUNNING' }] },
      gives: [kept, kept],
    },
    {
      name: 'tasks with every filter',
      call: (pve) => pve.tasks('pve1', { source: 'all', vmid: 100, type: 'qmclone', since: 5 }),
      asks: 'GET /nodes/pve1/tasks?source=all&vmid=100&typefilter=qmclone&since=5',
      answer: { data: [{ ...row, status: 'OK', endtime: 9 }] },
      gives: [{ ...kept, endtime: 9, status: 'OK' }],
    },
    {
      name: 'taskStatus, running',
      call: (pve) => pve.taskStatus(UPID),
      asks: `GET /nodes/pve1/tasks/${UPID_PATH}/status`,
      answer: { data: { upid: UPID, status: 'running' } },
      gives: { upid: UPID, running: true },
    },
    {
      name: 'taskStatus, ended',
      call: (pve) => pve.taskStatus(UPID),
      asks: `GET /nodes/pve1/tasks/${UPID_PATH}/status`,
      answer: { data: { upid: UPID, status: 'stopped', exitstatus: 'WARNINGS: 1' } },
      gives: { upid: UPID, running: false, exitstatus: 'WARNINGS: 1' },
    },
    {
      name: 'taskLog, short',
      call: (pve) => pve.taskLog(UPID, 10),
      asks: `GET /nodes/pve1/tasks/${UPID_PATH}/log?start=0&limit=10`,
      answer: {
        data: [
          { n: 1, t: 'a' },
          { n: 2, t: 'TASK OK' },
        ],
        total: 2,
      },
      gives: ['a', 'TASK OK'],
    },
    {
      name: 'taskLogEnds, short: one call',
      call: (pve) => pve.taskLogEnds(UPID, 10),
      asks: `GET /nodes/pve1/tasks/${UPID_PATH}/log?start=0&limit=10`,
      answer: { data: [{ n: 1, t: 'TASK OK' }], total: 1 },
      gives: ['TASK OK'],
    },
  ]);

  test('taskLog, long: only its end', async () => {
    const log = `/nodes/pve1/tasks/${UPID_PATH}/log`;
    expectOne({
      asks: `GET ${log}?start=0&limit=2`,
      answer: {
        data: [
          { n: 1, t: 'x' },
          { n: 2, t: 'y' },
        ],
        total: '9',
      },
    });
    expectOne({
      asks: `GET ${log}?start=7&limit=2`,
      answer: {
        data: [
          { n: 8, t: 'cause' },
          { n: 9, t: 'end' },
        ],
      },
    });
    expect(await client().taskLog(UPID, 2)).toEqual(['cause', 'end']);
  });

  test('taskLogEnds: the beginning and the end, no line twice', async () => {
    const log = `/nodes/pve1/tasks/${UPID_PATH}/log`;
    const lines = (first: number, ...texts: string[]) => texts.map((t, at) => ({ n: first + at, t }));
    expectOne({ asks: `GET ${log}?start=0&limit=2`, answer: { data: lines(1, 'x', 'y'), total: 3 } });
    expectOne({ asks: `GET ${log}?start=1&limit=2`, answer: { data: lines(2, 'y', 'end'), total: 3 } });
    expect(await client().taskLogEnds(UPID, 2)).toEqual(['x', 'y', 'end']);
  });
});

describe('answers of the wrong kind', () => {
  test.each<[string, string, unknown, (pve: PveApi) => Promise<unknown>, string]>([
    ['no list', '/pools', {}, (pve) => pve.pools(), 'data is not a list'],
    ['no object in a list', '/pools', [1], (pve) => pve.pools(), 'data[0] is not an object'],
    ['a field is missing', '/pools', [{}], (pve) => pve.pools(), '"poolid" is missing'],
    ['no object', '/access/permissions', [], (pve) => pve.permissions(), 'data is not an object'],
    ['only inherited', '/access/roles', [{ constructor: 1 }], (pve) => pve.roles(), '"roleid" is missing'],
    ['not a text', '/pools', [{ poolid: ['a'] }], (pve) => pve.pools(), '"poolid" is not a text'],
    [
      'not a number',
      '/nodes/pve1/qemu',
      [{ vmid: 'x', status: 's' }],
      (pve) => pve.nodeVms({ node: 'pve1' }),
      '"vmid" is not a number',
    ],
    [
      'not a boolean',
      '/access/users?full=1',
      [{ userid: 'a', enable: 'maybe' }],
      (pve) => pve.users(),
      '"enable" is not a boolean',
    ],
    [
      'no config',
      '/nodes/a/qemu/100/config',
      [],
      (pve) => pve.guestConfig({ node: 'a', vmid: 100 }),
      'data is not an object',
    ],
  ])('%s', async (_name, path, data, call, words) => {
    nock(ORIGIN)
      .get(`${BASE}${path}`)
      .reply(200, { data } as nock.Body);
    const error = await failure(call(client()));
    expect(error).toBeInstanceOf(PveError);
    expect(error.message).toBe(`GET ${path.split('?')[0] ?? ''}: unexpected answer: ${words}`);
  });

  test('a write that does not answer with a UPID', async () => {
    nock(ORIGIN).put(`${BASE}/nodes/pve1/network`).reply(200, { data: 'fine' });
    const error = await failure(client().reloadNetwork('pve1'));
    expect(error.message).toContain('data is not a task identifier');
  });
});

test('a step has all methods, and its writes are witnessed under its name; those beside it are not', async () => {
  const steps: unknown[] = [];
  const witness: WriteWitness = {
    begin: ({ step }) => {
      steps.push(step);
      return Promise.resolve(() => Promise.resolve());
    },
  };
  const pve = client({}, { witness });
  nock(ORIGIN).get(`${BASE}/access/groups`).reply(200, { data: [] });
  nock(ORIGIN).post(`${BASE}/access/roles`).times(3).reply(200, { data: null });
  const [one, other] = [pve.forStep('one'), pve.forStep('other')];
  expect(Object.keys(one).sort()).toEqual(
    Object.keys(pve)
      .filter((name) => !OF_THE_CLIENT.includes(name))
      .sort(),
  );
  await one.groups();
  await Promise.all([one.createRole('r', []), pve.createRole('r', []), other.createRole('r', [])]);
  expect(steps).toEqual(['one', undefined, 'other']);
  // Those of its steps are its own.
  expect(pve.requests()).toBe(4);
});

test.each([
  ['7.4', 'command=%2Fopt%2Fmy%20check&command='],
  ['8.0', 'command=%2Fopt%2Fmy%20check'],
])('%s: one word with a blank in it stays one', async (release, form) => {
  expectOne({ asks: 'GET /version', answer: { data: { version: release, release } } });
  const asks = 'POST /nodes/pve1/qemu/100/agent/exec';
  expectOne({ asks, form, answer: { data: { pid: 1 } } });
  expect(await client().agentExec({ node: 'pve1', vmid: 100 }, ['/opt/my check'])).toEqual({
    kind: 'answer',
    value: 1,
  });
});

test.each([
  ['No QEMU guest agent configured', { kind: 'off' }],
  ['QEMU guest agent is not running', { kind: 'silent' }],
  ["VM 100 qga command 'guest-exec' failed - got timeout", { kind: 'silent' }],
  [
    `Agent error: Guest agent command failed, error was 'Failed to execute child process "x" (No such file or directory)'`,
    { kind: 'refused', text: 'Failed to execute child process "x" (No such file or directory)' },
  ],
])('an agent that does not: %s', async (message, gives) => {
  nock(ORIGIN).post(`${BASE}/nodes/pve1/qemu/100/agent/exec`).reply(500, { data: null, message });
  expect(await client().agentExec({ node: 'pve1', vmid: 100 }, ['x'])).toEqual(gives);
});

test('every method takes part in the tests above', () => {
  const methods = Object.keys(client()).filter(
    (name) => !OF_THE_CLIENT.includes(name) && !BALANCE_METHODS.has(name),
  );
  // Filled while the tests are collected, and by two that run before or after this one.
  for (const late of ['serverTime', 'updateBridge']) covered.add(late);
  expect(methods.filter((name) => !covered.has(name))).toEqual([]);
});

test('a signal reaches the request', async () => {
  const error = await failure(client().pools(AbortSignal.abort(new Error('stop'))));
  expect(error.message).toBe('stop');
});
