/** VMmanager 6 through the command line: what its connections may be used for, and how balance moves guests there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { runCli, workFolder, writeFiles, type RunOutcome } from './harness.ts';
import { balanceOn, overloaded, startInstallation, type Installation } from './installations.ts';

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

interface Result {
  readonly plan: {
    readonly balance: {
      readonly verdict: string;
      readonly platform?: string;
      readonly gaps?: readonly string[];
      readonly moves: readonly { readonly name: string; readonly to: string; readonly reason: string }[];
      readonly rejected: readonly {
        readonly vmids: readonly number[];
        readonly code: string;
        readonly reason: string;
      }[];
    };
  };
  readonly summary: {
    readonly status: string;
    readonly moves: readonly {
      readonly status: string;
      readonly error?: { readonly code: string; readonly message: string };
    }[];
  };
}

const ajv = new Ajv({ strict: false, discriminator: true });
const schema = (name: string): object =>
  JSON.parse(readFileSync(new URL(`../../schemas/${name}.schema.json`, import.meta.url), 'utf8')) as object;
ajv.addSchema(schema('plan'));
const isResult = ajv.compile(schema('result'));

function resultOf({ stdout }: RunOutcome): Result {
  const document = JSON.parse(stdout) as Result;
  expect(isResult(document) ? [] : isResult.errors).toEqual([]);
  return document;
}

const json = ['--output', 'json'];
const posts = ({ requests }: Installation): number =>
  requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/migrate')).length;

describe('an overloaded node', () => {
  test('dry: nothing is written; then one moves, and nothing is left to do; the login runs out meanwhile', async () => {
    const installation = startInstallation(overloaded({ token_seconds: 30 }));
    const dry = await balanceOn(installation, ['--dry-run', '--detailed-exitcode']);
    expect([dry.code, posts(installation)]).toEqual([6, 0]);
    expect(dry.stdout).toContain('memory 100 % > 80 %');
    const first = await balanceOn(installation, json);
    expect([first.code, first.stderr]).toEqual([0, expect.any(String)]);
    const { plan, summary } = resultOf(first);
    expect(plan.balance).toMatchObject({ verdict: 'moves', platform: 'vmmanager6' });
    expect(summary).toMatchObject({ status: 'done', moves: [{ status: 'moved' }, { status: 'moved' }] });
    expect(Object.values(installation.places()).sort()).toEqual([1, 1, 2, 2]);
    // One login for each command, and one after it had run out.
    expect(installation.logins()).toBeGreaterThan(2);
    const before = posts(installation);
    const second = await balanceOn(installation);
    expect([second.code, posts(installation)]).toEqual([0, before]);
  });
});
