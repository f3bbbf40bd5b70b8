/** VMmanager 6 through the command line: what its connections may be used for, and how balance moves guests there. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, workFolder, writeFiles } from './harness.ts';

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
