/** How the nodes of a VMmanager 6 connection are reached over SSH. Fetches no secret, and shows none. */
import { resolve } from 'node:path';
import { integer, isMapping, mapping, text } from '../input/written.ts';
import type { Draft } from './draft.ts';
import { parseSecret } from './secret-source.ts';
import type { StoredSsh } from './types.ts';

const DEFAULT_TIMEOUT_S = 10;

function secretOf(
  { raw, folderOf, fail }: Draft,
  key: 'password' | 'passphrase',
): Pick<StoredSsh, typeof key> {
  const written = mapping(raw['ssh'])[key];
  if (written === undefined) return {};
  const parsed = parseSecret(written, folderOf('ssh'));
  if ('value' in parsed) return { [key]: parsed.value };
  fail(`ssh.${key}`, parsed.problem, { hint: parsed.hint });
  return {};
}

/** Undefined: they are not reached. The schema says what is wrong with the rest. */
export function sshOf(draft: Draft): StoredSsh | undefined {
  const { raw, folderOf } = draft;
  if (!isMapping(raw['ssh'])) return undefined;
  const { user, key_file: key, known_hosts: known, timeout, hosts } = raw['ssh'];
  const fileAt = (file: string): string => (file.startsWith('~/') ? file : resolve(folderOf('ssh'), file));
  const named = Object.entries(mapping(hosts)).flatMap(([node, host]) => {
    const at = text(host)?.trim();
    return at === undefined ? [] : [[node, at] as const];
  });
  const account = text(user)?.trim();
  const [keyFile, knownHostsFile] = [text(key), text(known)];
  return {
    ...(account === undefined ? {} : { user: account }),
    ...(keyFile === undefined ? {} : { keyFile: fileAt(keyFile) }),
    ...(knownHostsFile === undefined ? {} : { knownHostsFile: fileAt(knownHostsFile) }),
    ...secretOf(draft, 'passphrase'),
    ...secretOf(draft, 'password'),
    timeout: integer(timeout) ?? DEFAULT_TIMEOUT_S,
    hosts: Object.fromEntries(named),
  };
}
