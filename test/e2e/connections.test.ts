/** Connections as a user meets them: add, trust, test, encrypt, use; and a server that is another one than before. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decryptText, encryptText } from '../../src/lib/age.ts';
import { recordsOf } from '../audit/audit-schema.ts';
import { newCertificate } from '../certificate.ts';
import { ANNA, BORIS } from '../connections-edit/identities.ts';
import { post, workFolder, writeFiles, type RunOutcome } from './harness.ts';
import { runServed, startServed, type Served } from './served.ts';

const NO_PVE = { PVE_HOST: '', PVE_FINGERPRINT: '', PVE_TOKEN_ID: '', PVE_TOKEN_SECRET: '' };
const LAB = 'examples/router-lab';

interface World {
  readonly simulator: Served;
  readonly folder: string;
  readonly file: string;
  readonly host: string;
  readonly fingerprint: string;
  /** The command with this connections file; the environment names no cluster unless `env` does. */
  readonly run: (words: string, env?: Record<string, string>) => Promise<RunOutcome>;
  /** Everything that any command has printed. */
  readonly printed: () => string;
}

async function world(): Promise<World> {
  const simulator = await startServed();
  const folder = workFolder();
  const file = join(folder, 'connections.yml');
  const { fingerprint } = simulator;
  let printed = '';
  writeFiles(folder, { 'anna.txt': `${ANNA.identity}\n`, 'users.yml': 'users: [anna@pve]\n' });
  const run: World['run'] = async (words, env = {}) => {
    const argv = words.split(' ').map((word) => word.replace(/^@/, `${folder}/`));
    const outcome = await runServed([...argv, '--connections', file], simulator, {
      env: { ...NO_PVE, ...env },
    });
    printed += outcome.stdout + outcome.stderr;
    return outcome;
  };
  return {
    simulator,
    folder,
    file,
    host: `127.0.0.1:${simulator.port}`,
    fingerprint,
    run,
    printed: () => printed,
  };
}

interface Tests {
  readonly ok: boolean;
  readonly connections: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly hosts: readonly Record<string, unknown>[];
    readonly error?: { readonly code: string; readonly message: string };
  }[];
}

describe('a new connection', () => {
  test('is added, trusted, tested, encrypted and used; its secret is shown nowhere', async () => {
    const { simulator, folder, file, host, fingerprint, run, printed } = await world();
    const { tokenId, secret } = simulator.credentials;
    const login = { PVE_TOKEN_ID: tokenId, PVE_TOKEN_SECRET: secret };

    const added = await run(`connections add school --host ${host}`, login);
    expect([added.code, added.stdout]).toEqual([0, expect.stringContaining('NOT TRUSTED YET')]);
    // What is next is what trusts, in full: following it to the letter works.
    expect(added.stdout).toContain('next, if it is the same:');
    const trusts = `deploy-stand connections trust school --connections ${file} ${fingerprint}`;
    expect(added.stdout.split('\n')).toContain(`  ${trusts}`);
    expect(added.stdout).not.toContain('connections test');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain('fingerprint');
    const untrusted = await run('connections test');
    expect([untrusted.code, untrusted.stdout]).toEqual([4, expect.stringContaining('TLS_UNTRUSTED')]);
    expect(untrusted.stdout).toContain('certificate NOT accepted by the authorities of the system');
    expect(untrusted.stdout.split('\n').map((line) => line.trim())).toContain(trusts);
    expect(simulator.requests).toEqual([]);

    const again = await run(`connections add school --host ${host}`, login);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('CONNECTION_EXISTS')]);
    expect(again.stderr).toContain(`: deploy-stand connections trust school --connections ${file}\n`);
    expect(again.stderr).toContain(
      `: deploy-stand connections add school --host ${host} --connections ${file} --replace\n`,
    );
    const before = readFileSync(file, 'utf8');
    const other = Array(32).fill('AB').join(':');
    const mismatch = await run(
      `connections add school --host ${host} --replace --trust-fingerprint ${other}`,
      login,
    );
    expect(mismatch.code).toBe(4);
    expect(mismatch.stderr.replaceAll(/\s+/g, ' ')).toContain(
      `fingerprint ${fingerprint}, expected ${other}`,
    );
    expect(readFileSync(file, 'utf8')).toBe(before);
    // The secret is in the file by now: of the same login, and for the same host only.
    const byId = { PVE_TOKEN_ID: tokenId };
    for (const change of [`--host 127.0.0.1:1`, `--host ${host} --token-id root@pam!other`]) {
      const asked = await run(`connections add school ${change} --replace`, byId);
      expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('the secret is missing')]);
    }
    // What has no flag of its own stays with the same login, and is said to be gone with another.
    writeFileSync(file, `${before}  timeout: 20\n  operators: [ci@pve]\n`);
    await run(`connections add school --host ${host} --replace`, byId);
    expect(readFileSync(file, 'utf8')).toMatch(/^ {2}timeout: 20\n {2}operators:\n? .*ci@pve/m);
    const moved = await run(
      `connections add school --host ${host} --token-id root@pam!other --replace`,
      login,
    );
    expect([moved.code, moved.stderr]).toEqual([
      0,
      expect.stringContaining('timeout, operators of the former school are gone'),
    ]);
    writeFileSync(file, before);
    const wrong = await run(`connections trust school ${other}`, byId);
    expect([wrong.code, readFileSync(file, 'utf8')]).toEqual([4, before]);
    for (const way of [
      `connections add school --host ${host} --replace --trust-fingerprint ${fingerprint}`,
      `connections trust school ${fingerprint}`,
      `connections trust school`,
    ]) {
      writeFileSync(file, before);
      const trusted = await run(way, byId);
      expect([trusted.code, trusted.stdout.includes(secret)]).toEqual([0, false]);
      expect(readFileSync(file, 'utf8')).toBe(`${before}  fingerprint: ${fingerprint}\n`);
    }

    const tested = await run('connections test school --output json');
    expect(tested.code).toBe(0);
    expect((JSON.parse(tested.stdout) as Tests).connections[0]).toMatchObject({
      name: 'school',
      login: { kind: 'token', id: tokenId },
      trust: 'fingerprint',
      hosts: [{ host, ok: true, version: '8.4.5', quorum: 'yes', certificate: { fingerprint } }],
      privileges: { profile: 'full', commands: expect.arrayContaining([{ command: 'deploy', lacking: [] }]) },
    });

    expect((await run('connections encrypt --identity @anna.txt')).code).toBe(0);
    expect(readFileSync(file, 'utf8')).not.toContain(secret);
    const listed = await run('connections list');
    expect(listed.stdout).toContain('encrypted (age)');
    expect((await run('connections test')).code).toBe(4);

    const credentials = join(folder, 'class.csv');
    const deploy = `deploy -c ${LAB}/lab.yml -u @users.yml --credentials ${credentials} --identity @anna.txt --progress none`;
    expect((await run(`${deploy} --encrypt-to ${ANNA.recipient} --encrypt-to ${BORIS.recipient}`)).code).toBe(
      0,
    );
    for (const { identity } of [ANNA, BORIS]) {
      const opened = await decryptText(readFileSync(credentials, 'utf8'), { identities: [identity] });
      expect(opened).toEqual({ text: expect.stringMatching(/^userid,.*\nanna@pve,\w+,set,/) as string });
    }
    const plain = await run(deploy);
    expect([plain.code, plain.stderr]).toEqual([2, expect.stringContaining('--encrypt-to')]);
    expect((await run(`${deploy} --encrypt-to ${ANNA.recipient}`)).code).toBe(0);
    expect(printed()).not.toContain(secret);
    expect(printed()).not.toContain(ANNA.identity);
  });

  test('a passphrase opens it too', async () => {
    const { simulator, folder, fingerprint, host, run, printed } = await world();
    const to = { kind: 'passphrase', passphrase: 'correct horse' } as const;
    const armor = await encryptText(simulator.credentials.secret, to, 4);
    writeFiles(folder, {
      'connections.yml': `a:\n  host: ${host}\n  token_name: ${simulator.credentials.tokenId}\n  token_value: ${JSON.stringify(armor)}\n  fingerprint: ${fingerprint}\n`,
    });
    expect((await run('connections test', { DEPLOY_STAND_PASSPHRASE: 'correct horse' })).code).toBe(0);
    const wrong = await run('connections test', { DEPLOY_STAND_PASSPHRASE: 'battery staple' });
    expect([wrong.code, wrong.stdout]).toEqual([4, expect.stringContaining('the passphrase is wrong')]);
    expect(printed()).not.toContain('battery staple');
  });

  test('keeps its secret elsewhere when told so, and what is no secret is refused', async () => {
    const { simulator, file, host, fingerprint, run } = await world();
    const { tokenId, secret } = simulator.credentials;
    const add = `connections add a --host ${host} --token-id ${tokenId}`;
    const wrong: [string, string, Record<string, string>?][] = [
      [`connections add a --host ${host} --user root@pam --password hunter2`, 'SECRET_IN_ARGV'],
      [`connections add a --host ${host} --user root@pam --password=hunter2`, 'SECRET_IN_ARGV'],
      [`${add}=hunter2`, '--token-id holds the secret too'],
      [
        `connections add a --host root:hunter2@${host} --token-id ${tokenId}`,
        '--host: is no host',
        { PVE_TOKEN_SECRET: 'x' },
      ],
      [add, 'the secret is missing'],
      [`${add} --password-env X`, 'does not fit this login'],
      [`${add} --token-secret-env X --encrypt`, '--encrypt is for a secret that stands in the file'],
      [`connections add default --host ${host}`, 'cannot be the name of a connection'],
      [`connections add a --host ${host}`, 'how to log in is missing'],
      ['connections add a', 'the host and how to log in are missing'],
      [`connections add a --host ${host} --token-id root!hunter2`, '--token-id is no whole id'],
      ['--simulate connections list', 'That is a command: write --simulate behind it.'],
    ];
    for (const [words, message, env] of wrong) {
      const { code, stderr, stdout } = await run(words, env);
      expect([words, code, stderr]).toEqual([words, 2, expect.stringContaining(message)]);
      expect(stderr + stdout).not.toContain('hunter2');
    }
    expect(existsSync(file)).toBe(false);

    expect((await run(`${add} --token-secret-env MINE --trust-fingerprint`)).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('token_value: env:MINE');
    expect((await run('connections test', { MINE: secret })).code).toBe(0);
    const gone = await run('connections add b --host 127.0.0.1:1 --user root@pam --password-env P');
    expect([gone.code, readFileSync(file, 'utf8').includes('b:')]).toEqual([4, false]);
    const sealed = await run(
      `connections add b --host ${host} --token-id ${tokenId} --encrypt --to ${ANNA.recipient} --trust-fingerprint ${fingerprint}`,
      { PVE_TOKEN_SECRET: secret },
    );
    expect([sealed.code, readFileSync(file, 'utf8').includes(secret)]).toEqual([0, false]);
    expect((await run('connections test b --identity @anna.txt')).code).toBe(0);
    expect((await run('connections remove a')).stdout).toContain('it was the default');
    expect((await run('connections list --output json')).stdout).toContain('"default": "b"');
  });
});

test('one that fails does not stop the others; what the account may not see is said', async () => {
  const { simulator, folder, fingerprint, host, run } = await world();
  await post(simulator, '/access/users', { userid: 'eve@pve', password: 'evil-password' });
  simulator.addFault({ node: 'pve3', action: 'node-offline' });
  const entry = (name: string, ...lines: string[]): string =>
    `${name}:\n${[...lines, `fingerprint: ${fingerprint}`].map((line) => `  ${line}\n`).join('')}`;
  const { tokenId, secret } = simulator.credentials;
  const token = [`token_name: ${tokenId}`, `token_value: ${secret}`];
  writeFiles(folder, {
    'connections.yml': [
      'default: good\n',
      entry('good', `host: ${host}`, ...token),
      entry('unset', `host: ${host}`, `token_name: ${tokenId}`, 'token_value: env:NONE'),
      entry(
        'refused',
        `host: ${host}`,
        `token_name: ${tokenId}`,
        'token_value: 00000000-0000-0000-0000-000000000000',
      ),
      entry('poor', `host: ${host}`, 'user: eve@pve', 'password: evil-password'),
      entry('half', `host: [${host}, "127.0.0.1:1"]`, ...token),
    ].join(''),
  });
  const { code, stdout } = await run('connections test --output json');
  const { connections } = JSON.parse(stdout) as Tests;
  expect(code).toBe(4);
  expect(connections.map(({ name, ok }) => `${name} ${ok}`)).toEqual([
    'good true',
    'unset false',
    'refused false',
    'poor true',
    'half false',
  ]);
  expect(connections[0]?.hosts[0]).toMatchObject({
    nodes: [
      { name: 'pve1', online: true },
      { name: 'pve2', online: true },
      { name: 'pve3', online: false },
    ],
  });
  expect(connections[1]?.error?.message).toBe('unset.token_value: the variable NONE is not set');
  expect(connections[3]?.hosts[0]).toMatchObject({
    quorum: 'unknown',
    nodes: [{ name: 'pve1' }, { name: 'pve2' }, { name: 'pve3' }],
  });
  expect(connections[4]?.hosts.map(({ ok }) => ok)).toEqual([true, false]);
  const text = await run('connections test good poor --audit-file @audit.jsonl');
  expect([text.code, text.stdout]).toEqual([0, expect.stringContaining('offline: pve3')]);
  expect(text.stdout).toContain('privileges: all that the commands take for any class; profile full');
  expect(text.stdout).toMatch(/bridges +5 missing on \/nodes, \/pool, \/sdn\/zones\/localnetwork, \/vms\n/);
  expect(connections[3]).toMatchObject({
    privileges: {
      commands: expect.arrayContaining([
        {
          command: 'bridges',
          lacking: [
            { path: '/nodes', privileges: ['Sys.Modify'] },
            { path: '/pool', privileges: ['Pool.Allocate', 'Pool.Audit'] },
            { path: '/sdn/zones/localnetwork', privileges: ['SDN.Use'] },
            { path: '/vms', privileges: ['VM.Audit'] },
          ],
        },
      ]),
    },
  });
  const records = recordsOf(readFileSync(join(folder, 'audit.jsonl'), 'utf8'));
  const ofPoor = records.find(({ type, account }) => type === 'run.start' && account === 'eve@pve');
  const poor = records.filter(({ run: id }) => id === ofPoor?.['run']);
  expect(poor.map(({ type, path }) => path ?? type)).toEqual([
    'run.start',
    ...Array<string>(4).fill('/access/ticket'),
    'run.end',
  ]);
  expect(JSON.stringify(records)).not.toContain('evil-password');
  const before = readFileSync(join(folder, 'connections.yml'), 'utf8');
  writeFiles(folder, { 'copy.yml': before });
  for (const [name, code] of [
    ['connections.yml', 'SAME_FILE'],
    ['copy.yml', 'AUDIT_FILE'],
  ] as const) {
    const foreign = await run(`connections test good --audit-file @${name}`);
    expect([foreign.code, foreign.stderr]).toEqual([2, expect.stringContaining(`[${code}]`)]);
    expect(readFileSync(join(folder, name), 'utf8')).toBe(before);
  }
  expect((await run('connections test god')).stderr).toContain('did you mean good?');
});

test('a server with another certificate is refused, both fingerprints shown, nothing sent', async () => {
  const { simulator, folder, file, host, fingerprint, run } = await world();
  const { tokenId, secret } = simulator.credentials;
  const login = { PVE_TOKEN_ID: tokenId, PVE_TOKEN_SECRET: secret };
  expect((await run(`connections add school --host ${host} --trust-fingerprint`, login)).code).toBe(0);
  expect((await run('connections test')).code).toBe(0);
  await simulator.close();
  const impostor = await startServed({ port: simulator.port, tls: await newCertificate() });

  const deploy = `deploy -c ${LAB}/lab.yml -u @users.yml --credentials ${join(folder, 'c.csv')}`;
  for (const words of ['connections test', deploy, `${deploy} --dry-run`]) {
    const { code, stdout, stderr } = await run(words);
    const said = (stdout + stderr).replaceAll(/\s+/g, ' ');
    expect([words, code]).toEqual([words, 4]);
    expect(said).toContain(`fingerprint ${impostor.fingerprint}, expected ${fingerprint}`);
    expect(said).toContain('nothing was sent');
  }
  expect(impostor.requests).toEqual([]);
  expect(readFileSync(file, 'utf8')).toContain(fingerprint);
});

test('the recipe of README.md for an own cluster works to the letter', async () => {
  const { simulator, folder, host, run } = await world();
  const { tokenId, secret } = simulator.credentials;
  const [, block = ''] =
    /\n```sh\n(read -rs PVE_TOKEN_SECRET[^]*?)\n```/.exec(readFileSync('README.md', 'utf8')) ?? [];
  const commands = block.split('\n').flatMap((line) => {
    const [, words] = /^deploy-stand (.*?)(?: +#.*)?$/.exec(line) ?? [];
    return words === undefined ? [] : [words];
  });
  expect(commands.map((words) => words.replace(/ (?:school|-c) .*/, ''))).toEqual([
    'connections add',
    'connections test',
    'doctor',
    'deploy',
    'deploy',
  ]);
  writeFiles(folder, {
    'lab.yml': 'machines: [{ name: pc, template_vmid: 200, networks: [{ bridge: vmbr0 }] }]\n',
  });
  for (const words of commands) {
    const mine = words
      .replace('pve1.example.edu', host)
      .replace("'root@pam!lab'", tokenId)
      .replaceAll(/(?<= )(lab|users)\.yml/g, '@$1.yml');
    const kept = words.startsWith('deploy ') ? ' --credentials @c.csv' : '';
    // The secret is in the environment for the first command alone.
    const env = words.startsWith('connections add') ? { PVE_TOKEN_SECRET: secret } : {};
    const { code, stdout, stderr } = await run(mine + kept, env);
    expect([words, code, code === 0 ? '' : stdout + stderr]).toEqual([words, 0, '']);
  }
});
