import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  loadConnection,
  outerBridgesOf,
  type ConnectionOptions,
} from '../../../src/lib/config/connections/connection.ts';
import { problemsOf } from '../problems.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deploy-stand-connections-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, text: string, mode = 0o600): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}
type Loose = Partial<ConnectionOptions>;
const load = (options: Loose = {}) =>
  loadConnection({ env: {}, cwd: folder, configDir: join(folder, 'config'), ...options });
const found = async (options: Loose = {}): Promise<string[]> =>
  (await problemsOf(load(options))).map((line) => line.replaceAll(`${folder}/`, ''));

const SEEDS = `"prod-cluster":
  host: "192.168.1.100:8006"
  user: "root@pam"
  use_token: false
  password: "a-password"

"dev-cluster":
  host: "192.168.1.101:8006"
  user: "admin@pve"
  use_token: true
  token_name: "deploy-script"
  token_value: "a-token"
`;
const FINGERPRINT = Array(32).fill('AB').join(':');
const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const FERNET = `gAAAA${'A'.repeat(80)}`;

describe('bridge_range', () => {
  const withRange = (line: string) =>
    `"main":\n  host: a\n  token_name: u@pve!tok\n  token_value: x\n${line}`;

  test.each([
    ['  bridge_range: 1000-1999\n', { first: 1000, last: 1999 }],
    ['  bridge_range: { first: 2000, last: 2000 }\n', { first: 2000, last: 2000 }],
    ['', undefined],
  ])('%j', async (line, range) => {
    put('connections.yml', withRange(line));
    expect((await load({ name: 'main' })).connection.bridgeRange).toEqual(range);
    expect(outerBridgesOf({ env: {}, cwd: folder, name: 'main' })).toEqual(
      range && { connection: 'main', range },
    );
  });

  test.each([
    ['1999-1000', 'the range ends before it starts [1999-1000] → write 1000-1999'],
    ['100-1999', 'bridges of stands are called vmbr1000 to vmbr4094 [100-1999] → stay within 1000-4094'],
    ['many', 'is no range of bridge numbers [many] → write "1000-1999"'],
  ])('%s', async (written, says) => {
    put('connections.yml', withRange(`  bridge_range: ${written}\n`));
    const [first] = await found({ name: 'main' });
    expect(first).toBe(`connections.yml:5:17 main.bridge_range: ${says}`);
    expect(outerBridgesOf({ env: {}, cwd: folder, name: 'main' })).toBeUndefined();
  });

  test('of the connection that is meant; none without a file, from the environment, or where none is meant', () => {
    const range = { first: 1000, last: 1999 };
    put('connections.yml', withRange('  bridge_range: 1000-1999\n'));
    expect(outerBridgesOf({ env: {}, cwd: folder })).toEqual({ connection: 'main', range });
    expect(outerBridgesOf({ env: {}, cwd: folder, name: 'other' })).toBeUndefined();
    const env = { PVE_HOST: 'b', PVE_TOKEN_ID: 'u@pve!tok', PVE_TOKEN_SECRET: 'x' };
    expect(outerBridgesOf({ env, cwd: folder })).toBeUndefined();
    expect(outerBridgesOf({ env: {}, cwd: folder, file: 'nowhere.yml' })).toBeUndefined();
    put('connections.yml', '{ broken');
    expect(outerBridgesOf({ env: {}, cwd: folder })).toBeUndefined();
  });
});

describe('a file as the older tool wrote it', () => {
  test('password', async () => {
    put('connections_config.yml', SEEDS);
    expect(await load({ name: 'prod-cluster' })).toEqual({
      connection: {
        name: 'prod-cluster',
        file: join(folder, 'connections_config.yml'),
        hosts: ['192.168.1.100:8006'],
        auth: { kind: 'password', user: 'root@pam', password: 'a-password' },
        tls: { verify: true },
        timeout: 60_000,
        operators: [],
        platform: 'pve',
      },
      warnings: [],
    });
  });

  test('token', async () => {
    put('connections_config.yml', SEEDS);
    expect((await load({ name: 'dev-cluster' })).connection).toMatchObject({
      hosts: ['192.168.1.101:8006'],
      auth: { kind: 'token', tokenId: 'admin@pve!deploy-script', secret: 'a-token' },
    });
  });

  test('encrypted secrets have to be entered again', async () => {
    const file = put('connections.yml', SEEDS.replace('a-token', FERNET).replace('a-password', FERNET));
    const hint = 're-enter this secret: write the password or token secret itself';
    const message = 'this secret was encrypted by the older Python deploy-stand and cannot be read';
    expect(await found({ file, name: 'prod-cluster' })).toEqual([
      `connections.yml:5:13 prod-cluster.password: ${message} → ${hint}`,
    ]);
    expect(await found({ file, name: 'dev-cluster' })).toEqual([
      `connections.yml:12:16 dev-cluster.token_value: ${message} → ${hint}`,
    ]);
  });
});

describe('which file and which connection', () => {
  test('no file at all', async () => {
    expect(await found()).toEqual([
      "connections.yml: no connections file was found → make one with `deploy-stand connections add NAME --host HOST --token-id 'USER@REALM!TOKEN' --trust-fingerprint` (looked for: connections.yml, connections_config.yml, config/connections.yml); or set PVE_HOST, PVE_FINGERPRINT, PVE_TOKEN_ID and PVE_TOKEN_SECRET, or try --simulate",
    ]);
  });

  const one = (host: string): string => `${host}:\n  host: ${host}\n  user: a@pve\n  password: secret\n`;

  test('the usual places in their order', async () => {
    put('config/connections.yml', one('third'));
    expect((await load()).connection.name).toBe('third');
    put('connections_config.yml', one('second'));
    expect((await load()).connection.name).toBe('second');
    put('connections.yml', one('first'));
    expect((await load()).connection.name).toBe('first');
    expect((await load({ file: join(folder, 'config/connections.yml') })).connection.name).toBe('third');
  });

  test('default, or the name that was given', async () => {
    const file = put('connections.yml', `default: b\n${one('a')}${one('b')}`);
    expect((await load({ file })).connection.name).toBe('b');
    expect((await load({ file, name: 'a' })).connection.name).toBe('a');
  });

  test('a connection may be called default', async () => {
    const file = put('connections.yml', one('host').replace('host:', 'default:'));
    expect((await load({ file })).connection.name).toBe('default');
  });

  test.each<[string, string, Loose, string[]]>([
    [
      'several and no default',
      `${one('a')}${one('b')}`,
      {},
      [
        'c.yml:1:1: the file holds 2 connections and names no default → add "default: a", or give --connection: a, b',
      ],
    ],
    [
      'a default that is not there',
      `default: prd\n${one('prod')}`,
      {},
      ['c.yml:1:10 default: names no connection of this file [prd] → did you mean prod?'],
    ],
    [
      'a name that is not there',
      `${one('prod')}${one('dev')}`,
      { name: 'staging' },
      ['c.yml:1:1: c.yml has no connection "staging" → there are: prod, dev'],
    ],
    [
      'a name of JavaScript',
      one('prod'),
      { name: 'constructor' },
      ['c.yml:1:1: c.yml has no connection "constructor" → there are: prod'],
    ],
    [
      'a lab',
      'machines: []\n',
      {},
      ['c.yml:1:1: this is a lab, not a connections file → give the right file with --connections'],
    ],
    [
      'a list',
      '- a\n',
      {},
      [
        'c.yml:1:1: this is no list of connections → a connections file is "name:" with host, user and token or password below it',
      ],
    ],
    [
      'only a default',
      'default: a\n',
      {},
      [
        'c.yml:1:1: the file holds no connection → add one: a name, and below it host, user and token or password',
      ],
    ],
  ])('%s', async (_, text, options, expected) => {
    const file = put('c.yml', text);
    expect(await found({ file, ...options })).toEqual(expected);
  });
});

describe('hosts, certificates, time', () => {
  const using = (...lines: string[]): string =>
    put(
      'connections.yml',
      `c:\n  user: a@pve\n  password: secret\n${lines.map((line) => `  ${line}\n`).join('')}`,
    );

  test.each([
    ['host: pve1', ['pve1:8006']],
    ['host: pve1.example:443', ['pve1.example:443']],
    ['host: "pve1, pve2:8007,"', ['pve1:8006', 'pve2:8007']],
    ['host: [pve1, "pve2:8007"]', ['pve1:8006', 'pve2:8007']],
    ['host: https://pve1.example:8006/#v1', ['pve1.example:8006']],
    ['host: "[2001:db8::1]:443"', ['[2001:db8::1]:443']],
    ['host: 2001:db8::1', ['[2001:db8::1]:8006']],
  ])('%s', async (line, expected) => {
    expect((await load({ file: using(line) })).connection.hosts).toEqual(expected);
  });

  test('certificates', async () => {
    put('certificates/ca.pem', PEM);
    const file = using('host: pve1', 'ca_file: certificates/ca.pem', 'verify_ssl: false', 'timeout: 5');
    expect((await load({ file })).connection).toMatchObject({
      tls: { verify: false, ca: PEM },
      timeout: 5000,
    });
  });

  test.each([
    [FINGERPRINT, FINGERPRINT],
    [FINGERPRINT.toLowerCase(), FINGERPRINT],
    [FINGERPRINT.replaceAll(':', ''), FINGERPRINT],
    [`sha256 Fingerprint=${FINGERPRINT}`, FINGERPRINT],
    [
      `${FINGERPRINT}, ${FINGERPRINT.replaceAll('AB', 'CD')}`,
      `${FINGERPRINT},${FINGERPRINT.replaceAll('AB', 'CD')}`,
    ],
  ])('fingerprint %s', async (written, expected) => {
    const file = using('host: pve1', `fingerprint: "${written}"`);
    expect((await load({ file })).connection.tls).toEqual({ verify: true, fingerprint: expected });
  });

  test.each<[string, string[], string[]]>([
    [
      'hosts that are none, which are not shown',
      ['host: ["http://pve1", "root:hunter2@pve1", "pve1:99999"]'],
      [
        'connections.yml:4:9 c.host: PVE is reached by HTTPS only → write host or host:port',
        'connections.yml:4:9 c.host: is no host → write host or host:port, for example 192.0.2.10:8006',
        'connections.yml:4:9 c.host: port 99999 is outside 1–65535 → PVE listens on 8006',
      ],
    ],
    ['no host', [], ['connections.yml:1:1 c.host: is missing → add host or host:port']],
    [
      'an object for a host',
      ['host: { a: { b: 1 } }'],
      ['connections.yml:4:9 c.host: is no host, and no list of hosts → write host or host:port'],
    ],
    [
      'a SHA-1 fingerprint',
      ['host: a', `fingerprint: "${'AB:'.repeat(19)}AB"`],
      [
        `connections.yml:5:16 c.fingerprint: this is a SHA-1 fingerprint [${'AB:'.repeat(19)}AB] → take the SHA-256 fingerprint that "pvenode cert info" shows: 32 pairs of hex digits`,
      ],
    ],
    [
      'a CA file that is not there',
      ['host: a', 'ca_file: ca.pem'],
      [
        'connections.yml:5:12 c.ca_file: the file does not exist [ca.pem] → copy /etc/pve/pve-root-ca.pem from a node of the cluster',
      ],
    ],
    [
      'a CA file that is none',
      ['host: a', 'ca_file: connections.yml'],
      [
        'connections.yml:5:12 c.ca_file: the file holds no PEM certificate [connections.yml] → copy /etc/pve/pve-root-ca.pem from a node of the cluster',
      ],
    ],
    [
      'wrong types and keys',
      ['host: a', 'verify_ssl: no', 'timeout: 0', 'pasword: hunter2'],
      [
        'connections.yml:5:15 c.verify_ssl: must be true or false [no] → YAML reads yes, no, on and off as text',
        'connections.yml:6:12 c.timeout: is too small; the least is 1 [0]',
        'connections.yml:7:3 c.pasword: unknown key → did you mean password?',
      ],
    ],
  ])('%s', async (_, lines, expected) => {
    expect(await found({ file: using(...lines) })).toEqual(expected);
  });
});

describe('accounts', () => {
  const using = (...lines: string[]): string =>
    put('connections.yml', `c:\n  host: pve1\n${lines.map((line) => `  ${line}\n`).join('')}`);

  test.each([
    [['user: a@pve', 'password: 0123'], { kind: 'password', user: 'a@pve', password: '0123' }],
    [
      ['user: a@pve', 'token_name: t1', 'token_value: s'],
      { kind: 'token', tokenId: 'a@pve!t1', secret: 's' },
    ],
    [['token_name: a@pve!t1', 'token_value: s'], { kind: 'token', tokenId: 'a@pve!t1', secret: 's' }],
    [['user: a@pve!t1', 'token_value: s'], { kind: 'token', tokenId: 'a@pve!t1', secret: 's' }],
    [
      ['user: a@pve', 'token_name: t1', 'token_value: s', 'use_token: false', 'password: p'],
      { kind: 'password', user: 'a@pve', password: 'p' },
    ],
  ])('%j', async (lines, expected) => {
    expect((await load({ file: using(...lines) })).connection.auth).toEqual(expected);
  });

  test.each<[string, string[], string[]]>([
    [
      'nothing',
      [],
      [
        'connections.yml:1:1 c.user: is missing → add name@realm',
        'connections.yml:1:1 c.password: is missing → add the password, or the name and secret of an API token',
      ],
    ],
    [
      'a token without its parts',
      ['use_token: true'],
      [
        'connections.yml:1:1 c.token_name: is missing → add the name of the API token, the part after the "!"',
        'connections.yml:1:1 c.user: is missing: whose token is it? → add name@realm',
        'connections.yml:1:1 c.token_value: is missing → add the secret of the API token',
      ],
    ],
    [
      'the owner of a token in place of its id',
      ['use_token: true', 'token_name: root@pam', 'token_value: x'],
      [
        'connections.yml:4:15 c.token_name: lacks the name of the API token → the whole id looks like deployer@pve!deploy',
      ],
    ],
    [
      'a user without a realm',
      ['user: root', 'password: hunter2'],
      ['connections.yml:3:9 c.user: is no user of PVE [root] → write name@realm, for example deployer@pve'],
    ],
    [
      'a token name that is none, which may be the secret',
      ['user: a@pve', 'token_name: "1 hunter2"', 'token_value: hunter2'],
      [
        'connections.yml:4:15 c.token_name: is no name of an API token → the whole id looks like deployer@pve!deploy',
      ],
    ],
    [
      'a secret of the wrong type',
      ['user: a@pve', 'password: [hunter2]'],
      [
        'connections.yml:4:13 c.password: is a list, not text → write the secret itself, env:NAME, file:PATH, or command: [program, argument]',
      ],
    ],
    [
      'a secret that YAML stumbles over',
      ['user: a@pve', 'password: *hunter2'],
      [
        'connections.yml:4:13 c.password: a "*" at the start of a value is YAML syntax → put the value in quotes: "**name**"',
      ],
    ],
    [
      'a secret in the place of a connection',
      ['user: a@pve', 'password: x', 'd: hunter2'],
      [
        'connections.yml:5:3 c.d: unknown key → known here: platform, host, user, email, use_token, password, token_name, token_value, verify_ssl, ca_file, fingerprint, timeout, time_zone, ssh, bridge_range, operators',
      ],
    ],
  ])('%s', async (_, lines, expected) => {
    const complaints = await found({ file: using(...lines) });
    expect(complaints).toEqual(expected);
    expect(complaints.join()).not.toContain('hunter2');
  });

  test('no secret in any complaint, wherever it stands', async () => {
    for (const key of ['host', 'password', 'token_value', 'token_name', 'pasword', 'default']) {
      const text = `c: { host: "a b", user: x, use_token: maybe, ${key === 'host' ? 'port' : key}: "hunter2 ${FERNET}" }\nd: hunter2\n`;
      const file = put('connections.yml', text);
      const complaints = await found({ file, name: 'c' });
      expect(complaints.length).toBeGreaterThan(1);
      expect(complaints.join()).not.toContain('hunter2');
    }
  });
});

describe('ssh of VMmanager 6', () => {
  const VMM = 'vmm:\n  platform: vmmanager6\n  host: vmm.example\n  email: a@b.example\n  password: x\n';

  test('files are looked for beside this one, secrets where they are kept', async () => {
    put('key.txt', 'hunter2\n');
    put(
      'connections.yml',
      `${VMM}  ssh:\n    user: root\n    key_file: keys/id\n    known_hosts: ~/hosts\n    passphrase: env:PHRASE\n    password: file:key.txt\n    timeout: 5\n    hosts: { node1: 192.0.2.11, 2: node2.example }\n`,
    );
    const { connection } = await load({ env: { PHRASE: 'secret' } });
    expect(connection.ssh).toEqual({
      user: 'root',
      keyFile: join(folder, 'keys/id'),
      knownHostsFile: '~/hosts',
      passphrase: 'secret',
      password: 'hunter2',
      timeout: 5,
      hosts: { node1: '192.0.2.11', 2: 'node2.example' },
    });
  });

  test.each([
    ['{}', { timeout: 10, hosts: {} }],
    ['{ password: 007 }', { timeout: 10, hosts: {}, password: '007' }],
  ])('%s', async (written, ssh) => {
    put('connections.yml', `${VMM}  ssh: ${written}\n`);
    expect((await load()).connection.ssh).toEqual(ssh);
  });

  test.each<[string, string, readonly string[]]>([
    [
      'a variable that is not set',
      `${VMM}  ssh: { passphrase: env:HUNTER }`,
      [
        'connections.yml:6:22 vmm.ssh.passphrase: the variable HUNTER is not set → set it before the command: `read -rs HUNTER && export HUNTER`',
      ],
    ],
    [
      'what is no secret, and an unknown key',
      `${VMM}  ssh: { password: [hunter2], keyfile: hunter2 }`,
      [
        'connections.yml:6:20 vmm.ssh.password: is a list, not text → write the secret itself, env:NAME, file:PATH, or command: [program, argument]',
        'connections.yml:6:31 vmm.ssh.keyfile: unknown key → did you mean key_file?',
      ],
    ],
    [
      'a cluster of Proxmox VE',
      'c: { host: h, user: a@pve, password: x, ssh: { password: hunter2 } }',
      [
        'connections.yml:1:46 c.ssh: has no meaning for Proxmox VE → add "platform: vmmanager6" if it is one, or remove it',
      ],
    ],
  ])('%s', async (_, text, expected) => {
    put('connections.yml', `${text}\n`);
    const complaints = await found();
    expect(complaints).toEqual(expected);
    expect(complaints.join()).not.toContain('hunter2');
  });
});

describe('the environment', () => {
  const TOKEN = { PVE_HOST: 'pve9', PVE_TOKEN_ID: 'a@pve!t1', PVE_TOKEN_SECRET: 's' };

  test('needs no file', async () => {
    put('ca.pem', PEM);
    const more = { PVE_FINGERPRINT: FINGERPRINT, PVE_CA_FILE: 'ca.pem', PVE_VERIFY_SSL: '0' };
    expect(await load({ env: { ...TOKEN, ...more } })).toEqual({
      connection: {
        name: 'environment',
        hosts: ['pve9:8006'],
        auth: { kind: 'token', tokenId: 'a@pve!t1', secret: 's' },
        tls: { verify: false, ca: PEM, fingerprint: FINGERPRINT },
        timeout: 60_000,
        operators: [],
        platform: 'pve',
      },
      warnings: [],
    });
    expect(
      (await load({ env: { PVE_HOST: 'a,b', PVE_USER: 'root@pam', PVE_PASSWORD: 'p' } })).connection,
    ).toMatchObject({
      hosts: ['a:8006', 'b:8006'],
      auth: { kind: 'password', user: 'root@pam', password: 'p' },
    });
  });

  test('is not stopped by a broken file in the usual place', async () => {
    put('connections.yml', 'broken: [');
    expect((await load({ env: TOKEN })).connection.name).toBe('environment');
  });

  test('replaces what the file says, whole accounts at a time', async () => {
    const file = put('connections.yml', SEEDS);
    const name = 'prod-cluster';
    expect((await load({ file, name, env: { PVE_PASSWORD: 'p' } })).connection.auth).toEqual({
      kind: 'password',
      user: 'root@pam',
      password: 'p',
    });
    expect((await load({ file, name, env: { ...TOKEN, PVE_HOST: '' } })).connection).toMatchObject({
      hosts: ['192.168.1.100:8006'],
      auth: { kind: 'token', tokenId: 'a@pve!t1', secret: 's' },
    });
    expect(
      (await load({ file, name: 'dev-cluster', env: { PVE_TOKEN_SECRET: 's' } })).connection.auth,
    ).toEqual({
      kind: 'token',
      tokenId: 'admin@pve!deploy-script',
      secret: 's',
    });
    expect(await load({ file, name, env: { PVE_HOST: 'other' } })).toMatchObject({
      connection: { hosts: ['other:8006'], auth: { user: 'root@pam' } },
      warnings: ['PVE_HOST replaces the host of connection "prod-cluster"'],
    });
  });

  test.each<[Record<string, string>, boolean]>([
    [{}, true],
    [{ PVE_PASSWORD: 'p' }, true],
    [{ PVE_TOKEN_ID: 'a@pve!t1', PVE_TOKEN_SECRET: 's' }, true],
    [{ PVE_HOST: 'other' }, false],
    [{ PVE_FINGERPRINT: FINGERPRINT }, false],
    [{ PVE_CA_FILE: 'ca.pem' }, false],
    [{ PVE_VERIFY_SSL: '0' }, false],
  ])('%j: what trusts is in the file: %s', async (env, isInFile) => {
    put('ca.pem', PEM);
    const file = put('connections.yml', SEEDS);
    const { connection } = await load({ file, name: 'prod-cluster', env });
    expect(connection.file).toBe(isInFile ? file : undefined);
  });

  test('a fresh secret replaces an encrypted one', async () => {
    const file = put('connections.yml', SEEDS.replace('a-password', FERNET));
    expect(
      (await load({ file, name: 'prod-cluster', env: { PVE_PASSWORD: 'p' } })).connection.auth,
    ).toMatchObject({
      password: 'p',
    });
  });

  test.each<[string, Record<string, string>, string[]]>([
    [
      'a token id with its secret',
      { PVE_HOST: 'a', PVE_TOKEN_ID: 'a@pve!t1=hunter2' },
      ['environment PVE_TOKEN_ID: holds the secret too → put what follows the "=" into PVE_TOKEN_SECRET'],
    ],
    [
      'a token without its secret',
      { PVE_HOST: 'a', PVE_TOKEN_ID: 'a@pve!t1' },
      ['environment PVE_TOKEN_SECRET: is missing → add the secret of the API token'],
    ],
    [
      'a user without a password',
      { PVE_HOST: 'a', PVE_USER: 'root@pam' },
      ['environment PVE_PASSWORD: is missing → add the password, or the name and secret of an API token'],
    ],
    [
      'values that are none',
      {
        PVE_HOST: 'http://x',
        PVE_USER: 'root',
        PVE_PASSWORD: 'hunter2',
        PVE_FINGERPRINT: 'hunter2',
        PVE_CA_FILE: 'no.pem',
      },
      [
        'environment PVE_HOST: PVE is reached by HTTPS only → write host or host:port',
        'environment PVE_USER: is no user of PVE → write name@realm, for example deployer@pve',
        'environment PVE_CA_FILE: the file does not exist → copy /etc/pve/pve-root-ca.pem from a node of the cluster',
        'environment PVE_FINGERPRINT: is no SHA-256 fingerprint → take the SHA-256 fingerprint that "pvenode cert info" shows: 32 pairs of hex digits',
      ],
    ],
    [
      'neither true nor false',
      { ...TOKEN, PVE_VERIFY_SSL: 'maybe' },
      ['environment PVE_VERIFY_SSL: is neither true nor false → set it to 1 or 0'],
    ],
  ])('%s', async (_, env, expected) => {
    expect(await found({ env })).toEqual(expected);
    expect((await found({ env })).join()).not.toContain('hunter2');
  });
});

describe('a file that others may read', () => {
  test.skipIf(process.platform === 'win32')('is warned about', async () => {
    const file = put('connections.yml', SEEDS, 0o644);
    expect(
      (await load({ file, name: 'prod-cluster' })).warnings.map((text) => text.replaceAll(folder, '')),
    ).toEqual([
      '/connections.yml holds secrets and others on this machine may read it (mode 0644): `chmod 600 /connections.yml`, or `deploy-stand connections encrypt`',
    ]);
    chmodSync(file, 0o600);
    expect((await load({ file, name: 'prod-cluster' })).warnings).toEqual([]);
  });
});
