/** `role: student`: made once, given to all, changed by nobody; what a student may do with it, and how a class changes roles. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { STUDENT_PRIVILEGES, STUDENT_ROLE } from '../../src/lib/marks/role.ts';
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

const VERSIONS = ['7.4', '8.4', '9.2'] as const;

const lab = (role: string, name = 'net') =>
  `name: ${name}\naccess: { role: ${role} }\nmachines:\n  - { device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: vmbr0 }] }\n`;

function room() {
  const folder = workFolder();
  writeFiles(folder, {
    'lab.yml': lab('student'),
    'admin.yml': lab('PVEVMAdmin'),
    'other.yml': lab('PVEVMAdmin', 'other'),
    'users.yml': 'users: [anna@pve, boris@pve]\n',
  });
  const path = (name: string) => join(folder, name);
  const run = (cluster: Cluster, command: string, env: Readonly<Record<string, string>> = {}) =>
    runCli(
      (/^(doctor|validate)/.test(command) ? command : `${command} --credentials ${path('c.csv')}`)
        .split(' ')
        .map((word) => word.replace(/^@/, path('/'))),
      cluster,
      { env },
    );
  return { run, write: (files: Readonly<Record<string, string>>) => writeFiles(folder, files) };
}

const DEPLOY = 'deploy -c @lab.yml -u @users.yml';

const roleWrites = (cluster: Cluster) => writes(cluster).filter((line) => line.includes('/access/roles'));

function rightsOf(cluster: Cluster, userid: string): string[] {
  return cluster
    .snapshot()
    .acl.filter(({ subject }) => subject === userid)
    .map(({ path, role }) => `${role} on ${path}`);
}

/** What PVE answers to this student's own requests. */
async function asStudent(cluster: Cluster, userid: string) {
  const answer = await cluster.serve({
    method: 'POST',
    target: `/api2/json/access/users/${encodeURIComponent(userid)}/token/own`,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': '9',
      authorization: `PVEAPIToken=${cluster.credentials.tokenId}=${cluster.credentials.secret}`,
    },
    body: 'privsep=0',
  });
  const { value } = (JSON.parse(answer.body) as { data: { value: string } }).data;
  return async (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    form: Record<string, string> = {},
  ) => {
    const body = method === 'GET' || method === 'DELETE' ? '' : new URLSearchParams(form).toString();
    const { status } = await cluster.serve({
      method,
      target: `/api2/json${path}`,
      headers: {
        authorization: `PVEAPIToken=${userid}!own=${value}`,
        ...(body === ''
          ? {}
          : {
              'content-type': 'application/x-www-form-urlencoded',
              'content-length': String(Buffer.byteLength(body)),
            }),
      },
      body,
    });
    await cluster.idle();
    return status;
  };
}

function machineOf(cluster: Cluster, pool: string) {
  const { guests, pools } = cluster.snapshot();
  const vmid = pools.find(({ poolid }) => poolid === pool)?.vms[0];
  const guest = guests.find((one) => one.vmid === vmid);
  if (!guest) throw new Error(`${pool} has no machine`);
  return { vmid: guest.vmid, at: `/nodes/${guest.node}/qemu/${guest.vmid}`, node: guest.node };
}

describe.each(VERSIONS)('PVE %s', (version) => {
  const start = (more: Parameters<typeof scenario>[0] = {}) =>
    startCluster({ scenario: scenario({ version, ...more }) });

  test('is made once, given to everybody, found again, and stays after the cleanup', async () => {
    const cluster = await start();
    const { run } = room();
    const first = await run(cluster, DEPLOY);
    expect([first.code, first.stderr]).toEqual([0, expect.not.stringContaining('MISSING')]);
    expect(roleWrites(cluster)).toEqual(['POST /access/roles']);
    expect([...(cluster.snapshot().roles[STUDENT_ROLE] ?? [])].sort()).toEqual(STUDENT_PRIVILEGES);
    expect(['anna@pve', 'boris@pve'].flatMap((userid) => rightsOf(cluster, userid))).toEqual([
      `${STUDENT_ROLE} on /pool/anna`,
      `${STUDENT_ROLE} on /pool/boris`,
    ]);
    await cluster.time.sleep(15_000);
    const seen = cluster.requests.length;
    expect((await run(cluster, DEPLOY)).code).toBe(0);
    expect(writes(cluster, seen)).toEqual([]);
    expect((await run(cluster, 'cleanup -c @lab.yml -u @users.yml')).code).toBe(0);
    expect(Object.keys(cluster.snapshot().roles)).toEqual([STUDENT_ROLE]);
  });

  test('a student uses the machine and brings it back, and does nothing else with it', async () => {
    const cluster = await start();
    const { run } = room();
    expect((await run(cluster, DEPLOY)).code).toBe(0);
    const { at, node } = machineOf(cluster, 'anna');
    const anna = await asStudent(cluster, 'anna@pve');
    const allowed: [number, string][] = [
      [await anna('GET', `${at}/config`), 'read'],
      [await anna('POST', `${at}/snapshot`, { snapname: 'own' }), 'snapshot'],
      [await anna('POST', `${at}/status/start`), 'start'],
      [await anna('POST', `${at}/status/stop`), 'stop'],
      [await anna('POST', `${at}/snapshot/own/rollback`), 'rollback'],
      [await anna('PUT', `${at}/config`, { ide3: 'none,media=cdrom' }), 'CD'],
      [await anna('PUT', `${at}/config`, { ciuser: 'anna' }), 'cloud-init'],
    ];
    expect(allowed.filter(([status]) => status !== 200)).toEqual([]);
    const refused: [number, string][] = [
      [await anna('PUT', `${at}/config`, { net0: 'virtio,bridge=vmbr1' }), 'network card'],
      [await anna('PUT', `${at}/config`, { delete: 'net0' }), 'network card off'],
      [await anna('PUT', `${at}/config`, { memory: '1048576' }), 'memory'],
      [await anna('PUT', `${at}/config`, { cores: '64' }), 'cores'],
      [await anna('PUT', `${at}/config`, { description: 'mine' }), 'notes'],
      [await anna('PUT', `${at}/config`, { name: 'mine' }), 'name'],
      [await anna('PUT', `${at}/config`, { tags: 'mine' }), 'tags'],
      [await anna('PUT', `${at}/config`, { template: '1' }), 'template flag'],
      [await anna('PUT', `${at}/config`, { protection: '1' }), 'protection'],
      [await anna('PUT', `${at}/resize`, { disk: 'scsi0', size: '+1G' }), 'disk'],
      [await anna('POST', `${at}/template`), 'template'],
      [await anna('POST', `${at}/clone`, { newid: '900', pool: 'anna' }), 'clone'],
      [await anna('POST', `${at}/migrate`, { target: node === 'pve1' ? 'pve2' : 'pve1' }), 'migrate'],
      [await anna('POST', `/nodes/${node}/qemu`, { vmid: '901', pool: 'anna' }), 'another machine'],
      [await anna('DELETE', at), 'remove'],
    ];
    expect(refused.filter(([status]) => status === 200)).toEqual([]);
    const boris = machineOf(cluster, 'boris');
    expect(await anna('POST', `${boris.at}/status/start`)).toBe(403);
  });

  const limited = {
    users: [{ userid: 'boss@pve', password: 'boss-secret' }],
    roles: {
      // All that a deploy takes, but not the right to make roles.
      deployer: [
        ...STUDENT_PRIVILEGES,
        ...[
          'VM.Allocate',
          'VM.Clone',
          'VM.Config.Options',
          'VM.Config.Network',
          'Pool.Allocate',
          'Pool.Audit',
        ],
        ...[
          'Datastore.AllocateSpace',
          'Datastore.Audit',
          'User.Modify',
          'Realm.AllocateUser',
          'Permissions.Modify',
        ],
        ...(version === '7.4' ? [] : ['SDN.Use']),
      ],
    },
    acl: [{ path: '/', role: 'deployer', user: 'boss@pve' }],
  };
  const BOSS = { PVE_TOKEN_ID: '', PVE_TOKEN_SECRET: '', PVE_USER: 'boss@pve', PVE_PASSWORD: 'boss-secret' };

  test('who may make no roles is told the one line for an administrator, and it is the right one', async () => {
    const cluster = await start(limited);
    const { run } = room();
    const refused = await run(cluster, DEPLOY, BOSS);
    expect(refused.code).toBe(4);
    const said = refused.stderr;
    const line = /^ *pveum role add (\S+) --privs (\S+)$/m.exec(said);
    expect([said, line?.[1], line?.[2]]).toEqual([said, STUDENT_ROLE, STUDENT_PRIVILEGES.join(',')]);
    // Whoever may make roles may make himself anything.
    expect(said).not.toMatch(/role (add|modify) deploy-stand-\S* --privs \S*Sys\.Modify/);
    expect(writes(cluster).filter((write) => !write.endsWith('/access/ticket'))).toEqual([]);
    const form = { roleid: line?.[1] ?? '', privs: line?.[2] ?? '' };
    expect(await post(cluster, '/access/roles', form)).toBe(200);
    const done = await run(cluster, DEPLOY, BOSS);
    expect([done.code, done.code === 0 ? '' : done.stderr]).toEqual([0, '']);
    expect(rightsOf(cluster, 'anna@pve')).toEqual([`${STUDENT_ROLE} on /pool/anna`]);
  });

  test('doctor tells the same line instead of the right to make roles', async () => {
    const cluster = await start(limited);
    const { run } = room();
    const told = await run(cluster, 'doctor -c @lab.yml -u @users.yml --output json', BOSS);
    const { commands, rows } = JSON.parse(told.stdout) as {
      commands: string[];
      rows: { path: string; state: string; privileges: string[] }[];
    };
    expect(commands[0]).toBe(`pveum role add ${STUDENT_ROLE} --privs ${STUDENT_PRIVILEGES.join(',')}`);
    expect(commands.join('\n')).not.toMatch(/ \/access --users/);
    expect(rows).toContainEqual(
      expect.objectContaining({ path: '/access', state: 'missing', privileges: ['Sys.Modify'] }),
    );
  });

  test('one that holds more is given to nobody', async () => {
    const held = [...STUDENT_PRIVILEGES, 'VM.Config.Network'];
    const cluster = await start({ roles: { [STUDENT_ROLE]: held } });
    const { run } = room();
    const refused = await run(cluster, DEPLOY);
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('VM.Config.Network')]);
    expect(writes(cluster)).toEqual([]);
  });

  test('a running class changes roles by the next deploy, there and back', async () => {
    const cluster = await start();
    const { run } = room();
    expect((await run(cluster, 'deploy -c @admin.yml -u @users.yml')).code).toBe(0);
    await cluster.time.sleep(15_000);
    const before = cluster.snapshot().guests.map(({ config }) => config);
    for (const [file, role] of [
      ['@lab.yml', STUDENT_ROLE],
      ['@admin.yml', 'PVEVMAdmin'],
    ] as const) {
      const changed = await run(cluster, `deploy -c ${file} -u @users.yml`);
      expect([changed.code, changed.stderr]).toEqual([0, expect.not.stringContaining('failed')]);
      expect(rightsOf(cluster, 'anna@pve')).toEqual([`${role} on /pool/anna`]);
      expect(rightsOf(cluster, 'boris@pve')).toEqual([`${role} on /pool/boris`]);
    }
    expect(cluster.snapshot().guests.map(({ config }) => config)).toEqual(before);
  });

  test('two labs on one pool that want different roles are refused, naming both', async () => {
    const cluster = await start();
    const { run } = room();
    expect((await run(cluster, DEPLOY)).code).toBe(0);
    const refused = await run(cluster, 'deploy -c @other.yml -u @users.yml');
    expect([refused.code, refused.stderr]).toEqual([
      3,
      expect.stringContaining(`gives anna@pve role ${STUDENT_ROLE}`),
    ]);
    expect(rightsOf(cluster, 'anna@pve')).toEqual([`${STUDENT_ROLE} on /pool/anna`]);
    // An administrator changes it by hand, and both labs find it as they want it.
    for (const name of ['anna', 'boris']) {
      const acl = { path: `/pool/${name}`, users: `${name}@pve` };
      expect(await post(cluster, '/access/acl', { ...acl, roles: 'PVEVMAdmin' }, 'admin', 'PUT')).toBe(200);
      const former = { ...acl, roles: STUDENT_ROLE, delete: '1' };
      expect(await post(cluster, '/access/acl', former, 'admin', 'PUT')).toBe(200);
    }
    for (const file of ['@other.yml', '@admin.yml'])
      expect((await run(cluster, `deploy -c ${file} -u @users.yml`)).code).toBe(0);
    expect(rightsOf(cluster, 'anna@pve')).toEqual(['PVEVMAdmin on /pool/anna']);
  });
});

describe('what 7.4 cannot keep apart', () => {
  const ABOUT = /on PVE 7\.4, role PVEVMAdmin lets students plug/g;
  const said = (run: { readonly stdout: string }) =>
    run.stdout.replaceAll(/\s+/g, ' ').match(ABOUT)?.length ?? 0;
  const own = (role: string) => lab(role).replace('bridge: vmbr0', 'bridge: lan');

  test.each([
    ['7.4', 'PVEVMAdmin', 1, 1],
    ['7.4', 'student', 0, 0],
    ['8.4', 'PVEVMAdmin', 0, 1],
    ['9.2', 'PVEVMAdmin', 0, 1],
  ] as const)(
    '%s, role %s: plan and doctor say it %i times, validate %i',
    async (version, role, times, alone) => {
      const cluster = await startCluster({ scenario: scenario({ version }) });
      const { run, write } = room();
      write({ 'own.yml': own(role) });
      expect(said(await run(cluster, 'deploy -c @own.yml -u @users.yml --dry-run'))).toBe(times);
      expect(said(await run(cluster, 'doctor -c @own.yml -u @users.yml'))).toBe(times);
      expect(said(await run(cluster, 'validate -c @own.yml -u @users.yml'))).toBe(alone);
      expect(said(await run(cluster, 'deploy -c @own.yml -u @users.yml'))).toBe(times);
    },
  );
});
