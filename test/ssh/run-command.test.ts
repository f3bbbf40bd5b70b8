/** One command over SSH against a server in this process: keys, logins, and hosts that do not behave. */
import { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { VirtualTime } from '../../src/lib/simulator/time/virtual-time.ts';
import { readLogin } from '../../src/lib/ssh/login.ts';
import { runOverSsh } from '../../src/lib/ssh/run-command.ts';
import type { SshResult } from '../../src/lib/ssh/types.ts';
import { afterwards } from '../cleanups.ts';
import { workFolder, writeFiles } from '../e2e/harness.ts';
import {
  areTalking,
  keyPair,
  startSshServer,
  type KeyPair,
  type ServerOptions,
  type SshServer,
} from './ssh-server.ts';

const HOST = keyPair();
const OWN = keyPair();
const SECRET = 'hush-hush-hush';

interface Attempt {
  readonly server?: Partial<ServerOptions>;
  /** Lines of known_hosts; `NAME` stands for the server. Default: its first key. */
  readonly known?: string;
  readonly key?: KeyPair;
  readonly passphrase?: string;
  readonly password?: string;
}

async function attempt({ server: change = {}, known, key, passphrase, password }: Attempt): Promise<{
  readonly result: SshResult;
  readonly server: SshServer;
}> {
  const server = await startSshServer({ hostKeys: [HOST], answer: 'words', ...change });
  const folder = workFolder();
  const name = `[127.0.0.1]:${server.port}`;
  writeFiles(folder, {
    known_hosts: (known ?? `NAME ${HOST.public}`).replaceAll('NAME', name),
    ...(key ? { key: key.private } : {}),
  });
  const read = readLogin({
    knownHostsFile: join(folder, 'known_hosts'),
    env: {},
    ...(key ? { keyFile: join(folder, 'key') } : {}),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(password === undefined ? {} : { password }),
  });
  if ('problem' in read) return { result: { trouble: { kind: 'login', words: read.problem } }, server };
  // Time passes only while the server leaves its clients waiting.
  const time = new VirtualTime(0, { isBusy: () => areTalking(server) });
  afterwards(() => time.stop());
  const result = await runOverSsh({ host: '127.0.0.1', port: server.port, user: 'root' }, 'say', {
    ...{ login: read.login, knownHosts: read.knownHosts, clock: time.clock, seconds: 10 },
    signal: new AbortController().signal,
  });
  return { result, server };
}

test.each(['ed25519', 'ecdsa', 'rsa'] as const)('a key of kind %s, of host and account', async (kind) => {
  const [host, key] = [keyPair(kind), keyPair(kind)];
  const { result, server } = await attempt({
    ...{ server: { hostKeys: [host] }, known: `NAME ${host.public}`, key },
  });
  expect([result, server.commands]).toEqual([{ output: 'words' }, ['say']]);
});

test('what it writes is sent at once, as by the server', async () => {
  const atOnce = vi.spyOn(Socket.prototype, 'setNoDelay');
  expect((await attempt({ key: OWN })).result).toEqual({ output: 'words' });
  expect(atOnce).toHaveBeenCalledTimes(2);
});

test('of a host with several keys the one that is known is asked for', async () => {
  const rsa = keyPair('rsa');
  const { result } = await attempt({
    server: { hostKeys: [HOST, rsa] },
    known: `NAME ${rsa.public}`,
    key: OWN,
  });
  expect(result).toEqual({ output: 'words' });
});

test.each([
  ['unknown-key', 'not in known_hosts (ssh-ed25519 SHA256:', ''],
  ['changed-key', 'another than known_hosts says', `NAME ${OWN.public}`],
  ['revoked-key', 'revoked', `NAME ${HOST.public}\n@revoked NAME ${HOST.public}`],
] as const)('%s: nothing is proved to such a host', async (kind, words, known) => {
  const { result, server } = await attempt({ known, password: SECRET });
  expect(result).toMatchObject({ trouble: { kind, words: expect.stringContaining(words) as unknown } });
  expect([server.logins, server.commands]).toEqual([[], []]);
});

test('an encrypted key is opened by its passphrase; a wrong one, and none, are told', async () => {
  const key = keyPair('ed25519', SECRET);
  expect((await attempt({ key, passphrase: SECRET })).result).toEqual({ output: 'words' });
  for (const passphrase of ['wrong', undefined]) {
    const { result } = await attempt({ key, ...(passphrase === undefined ? {} : { passphrase }) });
    expect(JSON.stringify(result)).toContain('SSH_PRIVATE_KEY_PASSPHRASE');
    expect(JSON.stringify(result)).not.toContain(SECRET);
  }
});

test('a password; a login that is refused holds no secret', async () => {
  const isLetIn: ServerOptions['isLetIn'] = (auth) => auth.method === 'password' && auth.password === SECRET;
  expect((await attempt({ server: { isLetIn }, password: SECRET })).result).toEqual({ output: 'words' });
  expect((await attempt({ server: { isLetIn }, password: SECRET, key: OWN })).result).toEqual({
    output: 'words',
  });
  const { result } = await attempt({ server: { isLetIn: () => false }, password: SECRET, key: OWN });
  expect(result).toEqual({ trouble: { kind: 'login', words: 'the login is refused' } });
});

test('a command that never ends, a login that is never answered, words without end', async () => {
  for (const answer of ['hang', 'deaf']) {
    const { result } = await attempt({ server: { answer }, key: OWN });
    expect(result).toEqual({ trouble: { kind: 'silent', words: 'no answer within 10 s' } });
  }
  const { result } = await attempt({ server: { answer: 'x'.repeat(20_000) }, key: OWN });
  expect(result).toMatchObject({ trouble: { kind: 'answer' } });
});

test('no way to log in; a file that is no key', async () => {
  expect((await attempt({})).result).toMatchObject({
    trouble: { words: expect.stringContaining('no way to log in') as unknown },
  });
  const { result } = await attempt({ key: { private: SECRET, public: '' } });
  expect(JSON.stringify(result)).toContain('is no private key that can be used');
  expect(JSON.stringify(result)).not.toContain(SECRET);
});
