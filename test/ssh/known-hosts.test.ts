/** known_hosts: whose key it is, by every form that OpenSSH writes. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { algorithmsFor, judgeKey, knownHostName, parseKnownHosts } from '../../src/lib/ssh/known-hosts.ts';
import { runs } from '../runs.ts';

function keyOf(type: string, tail: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.from(tail)]);
}

const ED = keyOf('ssh-ed25519', 'one');
const OTHER = keyOf('ssh-ed25519', 'two');
const RSA = keyOf('ssh-rsa', 'three');
const line = (names: string, key: Buffer, type = 'ssh-ed25519'): string =>
  `${names} ${type} ${key.toString('base64')} a comment`;
const hashed = (name: string): string => {
  const salt = Buffer.from('01234567890123456789');
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};

test.each([
  ['its name', line('node1', ED), 'node1', 22, 'known'],
  ['any case', line('Node1', ED), 'NODE1', 22, 'known'],
  ['one of several', line('a,192.0.2.1', ED), '192.0.2.1', 22, 'known'],
  ['another port', line('node1', ED), 'node1', 2222, 'unknown'],
  ['its port', line('[node1]:2222', ED), 'node1', 2222, 'known'],
  ['a hash', line(hashed('node1'), ED), 'node1', 22, 'known'],
  ['a hash with its port', line(hashed('[node1]:2222'), ED), 'node1', 2222, 'known'],
  ['a hash of another', line(hashed('node2'), ED), 'node1', 22, 'unknown'],
  ['a pattern', line('node*,!node1?', ED), 'node2', 22, 'known'],
  ['what a pattern leaves out', line('node*,!node1?', ED), 'node11', 22, 'unknown'],
  ['another key', line('node1', OTHER), 'node1', 22, 'changed'],
  ['a key of another type', line('node1', RSA, 'ssh-rsa'), 'node1', 22, 'changed'],
  ['one of two keys', `${line('node1', OTHER)}\r\n${line('node1', ED)}`, 'node1', 22, 'known'],
  ['a revoked key', `${line('node1', ED)}\n@revoked ${line('*', ED)}`, 'node1', 22, 'revoked'],
  ['an authority of certificates', `@cert-authority ${line('node1', ED)}`, 'node1', 22, 'unknown'],
  ['a remark', `# ${line('node1', ED)}`, 'node1', 22, 'unknown'],
  ['a type that the key does not have', line('node1', ED, 'ssh-rsa'), 'node1', 22, 'unknown'],
  ['nothing', '', 'node1', 22, 'unknown'],
] as const)('%s', (_, text, host, port, verdict) => {
  expect(judgeKey(parseKnownHosts(text), { host, port }, ED)).toBe(verdict);
});

test('a host is asked first for the key that is known of it, and never for a signature with SHA-1', () => {
  const known = parseKnownHosts(line('[node1]:2222', RSA, 'ssh-rsa'));
  expect(algorithmsFor(known, 'node1', 2222).slice(0, 3)).toEqual([
    'rsa-sha2-512',
    'rsa-sha2-256',
    'ssh-ed25519',
  ]);
  expect(algorithmsFor(known, 'node1', 22)[0]).toBe('ssh-ed25519');
  expect(algorithmsFor(known, 'node1', 22)).not.toContain('ssh-rsa');
});

test('no text makes a key known that does not stand in it, and none is a failure', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.string({ maxLength: 20 }), (text, host) => {
      expect(judgeKey(parseKnownHosts(text), { host, port: 22 }, ED)).not.toBe('known');
      const known = parseKnownHosts(
        `${text.replaceAll(/[\r\n]/g, ' ')}\n${line(knownHostName('x.example', 22), ED)}`,
      );
      expect(judgeKey(known, { host: 'x.example', port: 22 }, ED)).toBe('known');
    }),
    runs(100, 5000),
  );
});
