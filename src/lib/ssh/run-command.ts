/** Runs one command on one host over SSH: its key known, its time and its words bounded. Judges no output. */
import ssh2, { type ClientErrorExtensions, type ConnectConfig } from 'ssh2';
import { onAbort } from '../abort.ts';
import type { Clock } from '../clock.ts';
import { algorithmsFor, fingerprintOf, judgeKey, typeOf, type KnownHosts } from './known-hosts.ts';
import type { SshHost, SshLogin, SshResult, SshTrouble } from './types.ts';

/** What is asked for fits in a hundredth of it. */
const MOST_BYTES = 16 * 1024;
const SECOND = 1000;

export interface SshOptions {
  readonly login: SshLogin;
  readonly knownHosts: KnownHosts;
  readonly clock: Clock;
  /** For all of it. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

const KEY_WORDS = {
  unknown: ['unknown-key', 'its host key is not in known_hosts'],
  changed: ['changed-key', 'its host key is another than known_hosts says: somebody may be in between'],
  revoked: ['revoked-key', 'its host key is revoked in known_hosts'],
} as const;

type Verifying = Pick<ConnectConfig, 'hostVerifier' | 'algorithms'>;

/** `refuse` hears of a key that is not the host's, before anything is proved to it. */
function verifying(
  { host, port }: SshHost,
  { knownHosts }: SshOptions,
  refuse: (trouble: SshTrouble) => void,
): Verifying {
  return {
    algorithms: {
      serverHostKey: algorithmsFor(knownHosts, host, port),
    },
    hostVerifier: (key: Buffer) => {
      const verdict = judgeKey(knownHosts, { host, port }, key);
      if (verdict === 'known') return true;
      const [kind, words] = KEY_WORDS[verdict];
      refuse({ kind, words: `${words} (${typeOf(key) ?? 'unknown type'} ${fingerprintOf(key)})` });
      return false;
    },
  };
}

/** The library's words about a login hold no secret; of others only the code is told. */
function troubleOf(error: Error & ClientErrorExtensions & { readonly code?: unknown }): SshTrouble {
  if (error.level === 'client-authentication') return { kind: 'login', words: 'the login is refused' };
  if (error.level === 'agent') return { kind: 'login', words: 'the SSH agent does not answer' };
  if (/no matching/i.test(error.message))
    return { kind: 'unreachable', words: 'it speaks no cipher or key type that is safe today' };
  const code = typeof error.code === 'string' ? ` (${error.code})` : '';
  return { kind: 'unreachable', words: `it cannot be reached${code}` };
}

type Answer = (result: SshResult) => void;

function execute(client: ssh2.Client, command: string, answer: Answer): void {
  client.exec(command, (error, channel) => {
    if (error) {
      answer({ trouble: { kind: 'answer', words: 'it runs no commands for this account' } });
      return;
    }
    const parts: Buffer[] = [];
    let bytes = 0;
    channel.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > MOST_BYTES)
        answer({ trouble: { kind: 'answer', words: 'it says more than was asked for' } });
      else parts.push(part);
    });
    channel.stderr.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > MOST_BYTES)
        answer({ trouble: { kind: 'answer', words: 'it says more than was asked for' } });
    });
    channel.on('close', () => answer({ output: Buffer.concat(parts).toString('utf8') }));
  });
}

function connectConfig(
  at: SshHost,
  options: SshOptions,
  refuse: (trouble: SshTrouble) => void,
): ConnectConfig {
  const { key, passphrase, agent, password } = options.login;
  return {
    ...{ host: at.host, port: at.port, username: at.user },
    // Its own timer would be another clock.
    readyTimeout: 0,
    ...verifying(at, options, refuse),
    ...(key === undefined ? {} : { privateKey: key }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(agent === undefined ? {} : { agent }),
    ...(password === undefined ? {} : { password }),
  };
}

/** Trouble of any kind is a result; only the signal rejects. */
export async function runOverSsh(at: SshHost, command: string, options: SshOptions): Promise<SshResult> {
  const { clock, seconds, signal } = options;
  signal.throwIfAborted();
  const client = new ssh2.Client();
  const over = new AbortController();
  let withdraw: () => void = () => undefined;
  try {
    return await new Promise<SshResult>((resolve, reject) => {
      const fail = (trouble: SshTrouble): void => resolve({ trouble });
      withdraw = onAbort(signal, () => reject(signal.reason as Error));
      clock.sleep(seconds * SECOND, over.signal).then(
        () => fail({ kind: 'silent', words: `no answer within ${seconds} s` }),
        () => undefined,
      );
      client
        // A handshake is many small packets: each would wait for the acknowledgement of the one before, 40 ms of a quick host.
        .on('connect', () => client.setNoDelay())
        .on('ready', () => execute(client, command, resolve))
        // A second trouble, of closing it, is told to nobody.
        .on('error', (error) => fail(troubleOf(error)))
        .on('close', () => fail({ kind: 'unreachable', words: 'it closed the connection' }));
      try {
        client.connect(connectConfig(at, options, fail));
      } catch {
        fail({ kind: 'login', words: 'the private key cannot be used' });
      }
    });
  } finally {
    withdraw();
    over.abort();
    client.destroy();
  }
}
