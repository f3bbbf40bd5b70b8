/** `--notify`: who is told of which end of a command, and that nobody is told of nothing. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { afterwards } from '../cleanups.ts';
import { post, startCluster } from './harness.ts';
import { room } from './people.ts';

interface Heard {
  readonly event: string;
  readonly text: string;
  readonly status?: string;
  readonly code?: string;
  readonly stands?: readonly { readonly user: string; readonly status?: string }[];
}

async function listen(): Promise<{ readonly url: string; readonly heard: Heard[] }> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      heard.push(JSON.parse(text) as Heard);
      response.end('{}');
    });
  });
  afterwards(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, heard };
}

const LAB = `name: exam
expires: 2026-09-30
machines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: vmbr0 }] }]
`;

test('a plan that is only shown, a run, a failure; nothing to do is told to nobody', async () => {
  const { url, heard } = await listen();
  const cluster = await startCluster();
  const { run } = room({
    'lab.yml': LAB,
    'users.yml': 'users: [anna@pve, boris@pve]\n',
    'notify.yml': 'notify: { webhook: { url: env:HOOK } }\n',
    'nobody.yml': 'notify: { events: [summary] }\n',
  });
  const told = async (command: string): Promise<{ code: number; said: Heard[] }> => {
    heard.length = 0;
    const { code } = await run(cluster, `${command} --notify @notify.yml`, { HOOK: url });
    return { code, said: [...heard] };
  };
  expect(await told('cleanup --expired --dry-run')).toEqual({ code: 0, said: [] });
  expect(await told('deploy -c @lab.yml -u @users.yml')).toMatchObject({
    code: 0,
    said: [
      {
        event: 'summary',
        status: 'done',
        text: expect.stringMatching(
          /^deploy-stand deploy: lab exam, done; \d+ steps\nanna@pve: complete\nboris@pve: complete$/,
        ) as string,
      },
    ],
  });
  // The reminder of docs/access.md.
  await cluster.time.sleep(30 * 86_400_000);
  expect(await told('cleanup --expired --dry-run --output json')).toMatchObject({
    code: 0,
    said: [
      {
        event: 'summary',
        status: 'dry-run',
        text: expect.stringMatching(
          /^deploy-stand cleanup: lab exam, dry run, nothing was changed: 2 stands: 2 to remove; .*\nanna@pve: to remove\n/,
        ) as string,
        stands: [{ user: 'anna@pve' }, { user: 'boris@pve' }],
      },
    ],
  });
  expect(await told('access freeze --lab exam')).toMatchObject({
    said: [{ text: expect.stringContaining('deploy-stand access freeze: lab exam, done') as string }],
  });
  expect((await told('access freeze --lab exam')).said).toEqual([]);
  expect(await told('power start --lab exam')).toMatchObject({
    said: [{ command: 'power start', text: expect.stringContaining('power start: lab exam') as string }],
  });
  expect(await told('extend --lab exam --until 2020-01-01')).toMatchObject({
    code: 3,
    said: [{ event: 'failure', code: 'UNTIL_PAST', text: expect.stringContaining('FAILED') as string }],
  });
  expect(await told('snapshot create one --lab exam')).toMatchObject({
    said: [
      { command: 'snapshot create', text: expect.stringContaining('snapshot create: lab exam') as string },
    ],
  });
  // Whatever stands before the command.
  expect(await told('--wide users passwd --recreate --user anna@pve')).toMatchObject({
    said: [{ command: 'users passwd' }],
  });
  expect((await run(cluster, 'extend --lab exam --until 2027-12-01')).code).toBe(0);
  expect((await told('status --lab exam')).said).toEqual([]);
  await post(cluster, '/access/users/anna%40pve', { enable: '0' }, 'admin', 'PUT');
  expect(await told('status --check --lab exam')).toMatchObject({
    code: 6,
    said: [
      {
        event: 'failure',
        text: 'deploy-stand status: 1 problem\naccount disabled: anna@pve, lab exam',
        problems: [{ kind: 'user-disabled', user: 'anna@pve' }],
      },
    ],
  });
  expect(await told('status --lab nett')).toMatchObject({
    code: 2,
    said: [{ event: 'failure', code: 'UNKNOWN_NAME' }],
  });
  const bad = await run(cluster, 'access thaw --lab exam --notify @nobody.yml');
  expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('NOTIFY_NOBODY')]);
  const unset = await run(cluster, 'access thaw --lab exam --notify @notify.yml');
  expect([unset.code, unset.stderr]).toEqual([2, expect.stringContaining('HOOK')]);
});
