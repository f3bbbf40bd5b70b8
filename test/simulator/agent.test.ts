/** The guest agent: who may ask, what it says, and what it costs when nobody answers. */
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { versions, type Version } from '../../src/lib/simulator/version.ts';
import { secret, start, userWithToken, type Loose, type Virtual } from './harness.ts';

type Guest = NonNullable<Scenario['guests']>[number];

const path = '/nodes/pve1/qemu/300/agent';

function withGuest(change: Partial<Guest> = {}, version: Version = '8.4'): Promise<Virtual> {
  const guest = { vmid: 300, name: 'web', node: 'pve1', pool: 'infra', config: { agent: '1' } };
  return start({ version, guests: [{ ...guest, ...change }] });
}

async function refusal(started: Virtual, call = 'POST', command = 'ping'): Promise<[string, number]> {
  const before = started.sim.now();
  const reply = await started.root.call(call, `${path}/${command}`);
  expect(reply.status).toBe(500);
  return [reply.reason, Math.floor((started.sim.now() - before) / 1000)];
}

describe('who does not answer', () => {
  test.each<[string, Partial<Guest>, string, number]>([
    ['not configured', { config: {} }, 'No QEMU guest agent configured', 0],
    ['switched off', { config: { agent: '0' } }, 'No QEMU guest agent configured', 0],
    ['stopped', { running: false }, 'VM 300 is not running', 0],
    ['no agent inside', { agent: { state: 'absent' } }, 'QEMU guest agent is not running', 3],
  ])('%s', async (_, change, reason, seconds) => {
    expect(await refusal(await withGuest(change))).toEqual([reason, seconds]);
  });

  test('a guest that is still starting, and one that is paused', async () => {
    const started = await withGuest({ running: false });
    await started.root.task('POST', '/nodes/pve1/qemu/300/status/start');
    expect(await refusal(started)).toEqual(['QEMU guest agent is not running', 3]);
    await started.time.sleep(15_000);
    expect(await started.root.ok('POST', `${path}/ping`)).toEqual({ result: {} });
    await started.root.task('POST', '/nodes/pve1/qemu/300/status/suspend');
    expect(await refusal(started)).toEqual(['QEMU guest agent is not running', 3]);
  });

  test('one that is stuck answers a ping and nothing else', async () => {
    const started = await withGuest({ agent: { state: 'stuck' } });
    await started.root.ok('POST', `${path}/ping`);
    expect(await refusal(started, 'GET', 'get-host-name')).toEqual([
      "VM 300 qga command 'guest-get-host-name' failed - got timeout",
      5,
    ]);
  });
});

describe('what it says', () => {
  const addresses = async ({ root }: Virtual): Promise<string[]> => {
    const { result } = await root.ok('GET', `${path}/network-get-interfaces`);
    return result.flatMap((nic: Loose) =>
      nic['ip-addresses'].map((one: Loose) => `${nic.name} ${one['ip-address']}/${one.prefix}`),
    );
  };
  const own = async (started: Virtual): Promise<string[]> =>
    (await addresses(started)).filter((one) => !one.startsWith('lo '));

  test('interfaces with the MACs of the configuration', async () => {
    const { root } = await withGuest();
    const { net0 } = await root.ok('GET', '/nodes/pve1/qemu/300/config');
    const { result } = await root.ok('GET', `${path}/network-get-interfaces`);
    expect(result[0]).toMatchObject({ name: 'lo', 'hardware-address': '00:00:00:00:00:00' });
    expect(result[1].name).toBe('eth0');
    expect(net0.toLowerCase()).toContain(`virtio=${result[1]['hardware-address']}`);
  });

  test('addresses: the scenario, cloud-init, a lease', async () => {
    const named = { addresses: ['10.1.0.5/24', 'fd00::5/64'] };
    expect(await own(await withGuest({ agent: named }))).toEqual(['eth0 10.1.0.5/24', 'eth0 fd00::5/64']);
    const fixed = { agent: '1', ipconfig0: 'ip=10.2.0.7/16,gw=10.2.0.1' };
    expect(await own(await withGuest({ config: fixed }))).toEqual(['eth0 10.2.0.7/16']);
    expect(await own(await withGuest())).toEqual(['eth0 10.0.1.44/8']);
  });

  test('system and host name', async () => {
    const { root } = await withGuest({ agent: { os: 'ALT Server 10.2' } });
    expect((await root.ok('GET', `${path}/get-host-name`)).result).toEqual({ 'host-name': 'web' });
    expect((await root.ok('GET', `${path}/get-osinfo`)).result['pretty-name']).toBe('ALT Server 10.2');
  });

  test('a clone has what its template has', async () => {
    const { root, time } = await start({
      templates: [
        { vmid: 100, name: 'tpl', node: 'pve1', config: { agent: '1' }, agent: { os: 'ALT Server 10.2' } },
      ],
    });
    await root.task('POST', '/nodes/pve1/qemu/100/clone', { newid: 400 });
    await root.task('POST', '/nodes/pve1/qemu/400/status/start');
    await time.sleep(15_000);
    const { result } = await root.ok('GET', '/nodes/pve1/qemu/400/agent/get-osinfo');
    expect(result['pretty-name']).toBe('ALT Server 10.2');
  });
});

describe('commands', () => {
  const agent = {
    commands: [
      { run: 'systemctl is-active nginx', exitcode: 3, output: 'inactive\n', error: 'no', seconds: 10 },
    ],
  };

  test.each<[Version, string]>([
    ['7.4', 'command=systemctl%20is-active%20nginx'],
    ['7.4', 'command=systemctl&command=is-active&command=nginx'],
    ['8.4', 'command=systemctl&command=is-active&command=nginx'],
    ['9.2', 'command=systemctl&command=is-active&command=nginx'],
  ])('%s: %s', async (version, query) => {
    const { root, time } = await withGuest({ agent }, version);
    const { pid } = await root.ok('POST', `${path}/exec?${query}`);
    expect(await root.ok('GET', `${path}/exec-status`, { pid })).toEqual({ exited: 0 });
    await time.sleep(10_000);
    expect(await root.ok('GET', `${path}/exec-status`, { pid })).toEqual({
      exited: 1,
      exitcode: 3,
      'out-data': 'inactive\n',
      'err-data': 'no',
    });
    const again = await root.get(`${path}/exec-status`, { pid });
    expect([again.status, again.reason]).toEqual([500, "Agent error: Invalid parameter 'pid'"]);
  });

  test('on 8 and later one text is one word, and there must be one', async () => {
    const { root } = await withGuest({ agent });
    const reply = await root.post(`${path}/exec`, { command: 'systemctl is-active nginx' });
    expect(reply.status).toBe(200);
    const unknown = await root.post(`${path}/exec`, { command: 'nothing' });
    expect([unknown.status, unknown.reason]).toEqual([
      500,
      `Agent error: Guest agent command failed, error was 'Failed to execute child process "nothing" (No such file or directory)'`,
    ]);
    expect((await root.post(`${path}/exec`)).body.errors).toHaveProperty('command');
  });

  test('7.4 asks for one itself', async () => {
    const { root } = await withGuest({ agent }, '7.4');
    expect((await root.post(`${path}/exec`)).reason).toBe('command or input-data (or both) required');
  });

  test('processes end with the machine', async () => {
    const { root, time } = await withGuest({ agent: { commands: [{}] } });
    const { pid } = await root.ok('POST', `${path}/exec`, { command: 'true' });
    await root.task('POST', '/nodes/pve1/qemu/300/status/reboot');
    await time.sleep(15_000);
    expect((await root.get(`${path}/exec-status`, { pid })).reason).toContain("Invalid parameter 'pid'");
  });
});

test.each(versions)('%s: privileges', async (version) => {
  const audit = version === '9.2' ? 'VM.GuestAgent.Audit' : 'VM.Monitor';
  const { as } = await start({
    version,
    guests: [{ vmid: 300, name: 'web', node: 'pve1', config: { agent: '1' }, agent: { commands: [{}] } }],
    roles: { Look: [audit] },
    users: [userWithToken('a@pve'), userWithToken('b@pve')],
    acl: [
      { path: '/vms', role: 'Look', user: 'a@pve' },
      { path: '/vms', role: 'PVEVMUser', user: 'b@pve' },
    ],
  });
  const statuses = async (user: string): Promise<number[]> => {
    const caller = as(`${user}!t=${secret}`);
    return [
      (await caller.post(`${path}/ping`)).status,
      (await caller.post(`${path}/exec`, { command: 'true' })).status,
    ];
  };
  expect(await statuses('a@pve')).toEqual([200, version === '9.2' ? 403 : 200]);
  expect(await statuses('b@pve')).toEqual(version === '9.2' ? [200, 403] : [403, 403]);
});

describe('guests that are not to be trusted', () => {
  const run = async (command: object, version: Version = '8.4'): Promise<Loose> => {
    const { root } = await withGuest({ agent: { commands: [command] } }, version);
    const { pid } = await root.ok('POST', `${path}/exec`, { command: 'true' });
    return root.ok('GET', `${path}/exec-status`, { pid });
  };

  test('what they print comes as one character for each byte, 16 MiB of it at most', async () => {
    expect((await run({ output: 'é\n', error: 'нет' }))['out-data']).toBe('Ã©\n');
    expect((await run({ output_base64: 'gP8=' }))['out-data']).toBe('\u0080\u00ff');
    const flood = await run({ output: 'x'.repeat(1000), repeat: 100_000 });
    expect([flood['out-data'].length, flood['out-truncated']]).toEqual([16 * 1024 * 1024, 1]);
    expect(await run({ signal: 9 })).toEqual({ exited: 1, signal: 9 });
  });

  test('PVE cannot pass on what is no Latin-1, and 7.4 loses empty words at the end', async () => {
    const { root } = await withGuest({ agent: { commands: [{ run: 'echo' }] } }, '7.4');
    const wide = await root.post(`${path}/exec`, { command: 'привет' });
    expect([wide.status, wide.reason]).toEqual([500, expect.stringContaining('Wide character')]);
    expect((await root.post(`${path}/exec?command=echo&command=`)).status).toBe(200);
  });

  test('lies about pids, and answers that are no agent’s', async () => {
    const liar = await withGuest({ agent: { claims_pid: 1, commands: [{}] } });
    expect(await liar.root.ok('POST', `${path}/exec`, { command: 'true' })).toEqual({ pid: 1 });
    expect((await liar.root.get(`${path}/exec-status`, { pid: 1 })).reason).toContain('Invalid parameter');
    const odd = await withGuest({ agent: { state: 'garbage' } });
    expect(typeof (await odd.root.ok('POST', `${path}/exec`, { command: 'true' })).pid).toBe('string');
  });

  test('of one clone the scenario says what its template does not have', async () => {
    const { root, time } = await start({
      templates: [
        {
          vmid: 100,
          name: 'tpl',
          node: 'pve1',
          config: { agent: '1' },
          agent: { commands: [{ exitcode: 0 }] },
        },
      ],
      agents: [{ vmid: 401, agent: { commands: [{ exitcode: 3 }] } }],
    });
    const codes = [];
    for (const vmid of [400, 401]) {
      await root.task('POST', '/nodes/pve1/qemu/100/clone', { newid: vmid });
      await root.task('POST', `/nodes/pve1/qemu/${vmid}/status/start`);
      await time.sleep(15_000);
      const agentPath = `/nodes/pve1/qemu/${vmid}/agent`;
      const { pid } = await root.ok('POST', `${agentPath}/exec`, { command: 'true' });
      codes.push((await root.ok('GET', `${agentPath}/exec-status`, { pid })).exitcode);
    }
    expect(codes).toEqual([0, 3]);
  });
});
