/** OpenSSH's known_hosts: is this the key of that host? Pure; trusts nobody whom no line names. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { isLike } from '../glob.ts';

interface Line {
  readonly isRevoked: boolean;
  readonly patterns: string;
  readonly type: string;
  readonly key: Buffer;
}

export type KnownHosts = readonly Line[];

export type KeyVerdict = 'known' | 'unknown' | 'changed' | 'revoked';

/** Lines that nobody understands, and authorities of certificates, name no key of a host. */
export function parseKnownHosts(text: string): KnownHosts {
  return text.split(/\r?\n/).flatMap((written): Line[] => {
    const words = written.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined;
    const [patterns = '', type = '', base64 = ''] = words;
    if (patterns.startsWith('#') || base64 === '' || (marker !== undefined && marker !== '@revoked'))
      return [];
    const key = Buffer.from(base64, 'base64');
    return typeOf(key) === type ? [{ isRevoked: marker !== undefined, patterns, type, key }] : [];
  });
}

/** A public key begins with its own type. */
export function typeOf(key: Buffer): string | undefined {
  if (key.length < 4) return undefined;
  const length = key.readUInt32BE(0);
  return length <= key.length - 4 ? key.subarray(4, 4 + length).toString('latin1') : undefined;
}

/** As known_hosts writes a host: the port only when it is another than 22. */
export function knownHostName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

function isHashOf(pattern: string, name: string): boolean {
  const [, , salt = '', hash = ''] = pattern.split('|');
  const wanted = Buffer.from(hash, 'base64');
  const made = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return wanted.length === made.length && timingSafeEqual(wanted, made);
}

function isAbout({ patterns }: Line, name: string): boolean {
  if (patterns.startsWith('|1|')) return isHashOf(patterns, name);
  const all = patterns.toLowerCase().split(',');
  const isNamed = (pattern: string): boolean => isLike(pattern, name);
  if (all.some((pattern) => pattern.startsWith('!') && isNamed(pattern.slice(1)))) return false;
  return all.some((pattern) => !pattern.startsWith('!') && isNamed(pattern));
}

function linesAbout(known: KnownHosts, host: string, port: number): Line[] {
  const name = knownHostName(host, port);
  return known.filter((line) => isAbout(line, name));
}

export function judgeKey(
  known: KnownHosts,
  { host, port }: { readonly host: string; readonly port: number },
  key: Buffer,
): KeyVerdict {
  const lines = linesAbout(known, host, port);
  const isSame = (line: Line): boolean => line.key.equals(key);
  if (lines.some((line) => line.isRevoked && isSame(line))) return 'revoked';
  const kept = lines.filter(({ isRevoked }) => !isRevoked);
  if (kept.some(isSame)) return 'known';
  return kept.length === 0 ? 'unknown' : 'changed';
}

/** RSA keys sign in several ways; the oldest of them, with SHA-1, is none. */
const ALGORITHMS: readonly (readonly [type: string, algorithms: readonly ServerHostKeyAlgorithm[]])[] = [
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
];

/** What a host is asked to prove itself by: of the types that are known of it first, as it may have several keys. */
export function algorithmsFor(known: KnownHosts, host: string, port: number): ServerHostKeyAlgorithm[] {
  const types = new Set(
    linesAbout(known, host, port)
      .filter(({ isRevoked }) => !isRevoked)
      .map(({ type }) => type),
  );
  const first = ALGORITHMS.filter(([type]) => types.has(type));
  const rest = ALGORITHMS.filter(([type]) => !types.has(type));
  return [...first, ...rest].flatMap(([, algorithms]) => algorithms);
}

/** As ssh-keygen prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}
