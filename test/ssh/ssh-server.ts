/** An SSH server in this process, on 127.0.0.1: what it proves itself by, whom it lets in, and what it answers are given. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import ssh2, { type AuthContext, type Connection } from 'ssh2';
import { afterwards } from '../cleanups.ts';

export type KeyKind = 'ed25519' | 'ecdsa' | 'rsa';

export interface KeyPair {
  readonly private: string;
  /** `ssh-ed25519 AAAA…` */
  readonly public: string;
}

const BITS = { ed25519: undefined, ecdsa: 256, rsa: 2048 } as const;

export function keyPair(kind: KeyKind = 'ed25519', passphrase?: string): KeyPair {
  const bits = BITS[kind];
  const locked = passphrase === undefined ? {} : { passphrase, cipher: 'aes256-ctr', rounds: 1 };
  for (;;) {
    // The types have a signature for each kind, and none for all.
    const made = ssh2.utils.generateKeyPairSync(
      kind as 'rsa',
      { ...locked, ...(bits ? { bits } : {}) } as never,
    );
    // It writes one Ed25519 key of 190 a byte short, and cannot read it then.
    if (!(ssh2.utils.parseKey(made.private, passphrase) instanceof Error))
      return { private: made.private, public: made.public };
  }
}

export interface ServerOptions {
  readonly hostKeys: readonly KeyPair[];
  readonly isLetIn?: (auth: AuthContext) => boolean;
  /** `hang`: never ends; `deaf`: no login is ever answered. */
  readonly answer: string | (() => string);
}

export interface SshServer {
  readonly port: number;
  readonly commands: readonly string[];
  /** How many tried to log in by a method that proves something. */
  readonly logins: readonly string[];
  /** How many of its clients it leaves waiting. */
  readonly waiting: () => number;
}

export async function startSshServer({
  hostKeys,
  isLetIn = () => true,
  answer,
}: ServerOptions): Promise<SshServer> {
  const commands: string[] = [];
  const logins: string[] = [];
  const open = new Set<Connection>();
  const waiting = new Set<Connection>();
  const serve = (client: Connection): void => {
    open.add(client);
    // As sshd does; the types leave it out.
    (client as Connection & { setNoDelay(): void }).setNoDelay();
    const end = (): void => {
      open.delete(client);
      waiting.delete(client);
    };
    client.on('close', end).on('error', () => undefined);
    client.on('authentication', (auth) => {
      if (answer === 'deaf') {
        waiting.add(client);
        return;
      }
      if (auth.method !== 'none') logins.push(auth.method);
      if (auth.method !== 'none' && isLetIn(auth)) auth.accept();
      else auth.reject(['publickey', 'password']);
    });
    client.on('session', (accept) => {
      accept().on('exec', (take, _, { command }) => {
        commands.push(command);
        const channel = take();
        if (answer === 'hang') {
          waiting.add(client);
          return;
        }
        channel.write(typeof answer === 'function' ? answer() : answer);
        channel.exit(0);
        channel.end();
      });
    });
  };
  const server = new ssh2.Server({ hostKeys: hostKeys.map((pair) => pair.private) }, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterwards(async () => {
    for (const client of open) client.end();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { port: (server.address() as AddressInfo).port, commands, logins, waiting: () => waiting.size };
}

/** For a time beside these servers: it passes only while all that is connected is left waiting. Two sockets for each. */
export function areTalking(...servers: readonly SshServer[]): boolean {
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const isBusy = sockets > 2 * servers.reduce((sum, { waiting }) => sum + waiting(), 0);
  // The last of them goes without an event that would wake the loop.
  if (isBusy) setImmediate(() => undefined);
  return isBusy;
}
