/** Reads what a login over SSH is made of: a private key, known_hosts, the agent's socket. Prints nothing of it. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import ssh2 from 'ssh2';
import { readRegularFile } from '../files/open.ts';
import { FileProblem } from '../files/problem.ts';
import { parseKnownHosts, type KnownHosts } from './known-hosts.ts';
import type { SshLogin } from './types.ts';

const MOST_KEY_BYTES = 64 * 1024;
const MOST_HOSTS_BYTES = 5 * 1024 * 1024;

export interface LoginSource {
  readonly keyFile?: string;
  readonly passphrase?: string;
  readonly password?: string;
  readonly knownHostsFile?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type Login =
  | { readonly login: SshLogin; readonly knownHosts: KnownHosts; readonly knownHostsFile: string }
  | { readonly problem: string };

function expand(path: string, env: LoginSource['env']): string {
  if (!path.startsWith('~/')) return path;
  return join(env['HOME'] ?? homedir(), path.slice(2));
}

function readText(file: string, maxBytes: number): string {
  return readRegularFile(file, { maxBytes }).bytes.toString('utf8');
}

/** The user's own and the machine's; that one of them is missing says only that it names nobody. */
function readKnownHosts(files: readonly string[]): KnownHosts {
  return files.flatMap((file) => {
    try {
      return parseKnownHosts(readText(file, MOST_HOSTS_BYTES));
    } catch (error) {
      if (error instanceof FileProblem) return [];
      throw error;
    }
  });
}

function keyProblem(file: string, key: string, passphrase: string | undefined): string | undefined {
  const parsed = ssh2.utils.parseKey(key, passphrase);
  if (!(parsed instanceof Error)) return undefined;
  if (/no passphrase/i.test(parsed.message))
    return `${file} is encrypted: give its passphrase (ssh: passphrase of the connection, or SSH_PRIVATE_KEY_PASSPHRASE), or add it to an agent (ssh-add)`;
  if (passphrase !== undefined && /passphrase|decrypt|integrity|malformed/i.test(parsed.message))
    return `${file} is not opened by the passphrase that is given (ssh: passphrase of the connection, or SSH_PRIVATE_KEY_PASSPHRASE)`;
  return `${file} is no private key that can be used`;
}

type KeyRead = { readonly key?: string } | { readonly problem: string };

function readKey({ keyFile, passphrase, env }: LoginSource): KeyRead {
  if (keyFile === undefined) return {};
  const file = expand(keyFile, env);
  try {
    const key = readText(file, MOST_KEY_BYTES);
    const problem = keyProblem(file, key, passphrase);
    return problem === undefined ? { key } : { problem };
  } catch (error) {
    if (error instanceof FileProblem) return { problem: `${file} cannot be read (${error.message})` };
    throw error;
  }
}

export function readLogin(source: LoginSource): Login {
  const { passphrase, password, knownHostsFile, env } = source;
  const read = readKey(source);
  if ('problem' in read) return read;
  const socket = env['SSH_AUTH_SOCK'];
  const agent = socket !== undefined && isAbsolute(socket) ? socket : undefined;
  if (read.key === undefined && agent === undefined && password === undefined)
    return {
      problem:
        'there is no way to log in: give key_file or password below ssh: of the connection (or SSH_PRIVATE_KEY_PATH, SSH_PASSWORD), or start an SSH agent',
    };
  const own = expand(knownHostsFile ?? '~/.ssh/known_hosts', env);
  return {
    login: {
      ...(read.key === undefined ? {} : { key: read.key }),
      ...(read.key === undefined || passphrase === undefined ? {} : { passphrase }),
      ...(agent === undefined ? {} : { agent }),
      ...(password === undefined ? {} : { password }),
    },
    knownHosts: readKnownHosts(knownHostsFile === undefined ? [own, '/etc/ssh/ssh_known_hosts'] : [own]),
    knownHostsFile: own,
  };
}
