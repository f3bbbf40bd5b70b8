/** What `connections add` does with its flags: check, look at the certificate, write, render. */
import { isDeepStrictEqual } from 'node:util';
import { encryptText } from '../../lib/age.ts';
import { connectionNames } from '../../lib/config/connections/file.ts';
import { isMapping } from '../../lib/config/input/written.ts';
import { putEntry, type Entry } from '../../lib/connections-edit/entries.ts';
import { openFile, saveFile, type OpenFile } from '../../lib/connections-edit/store.ts';
import { UsageError } from '../../lib/errors.ts';
import { shellCommand } from '../../lib/shell.ts';
import { renderAdded, toAddedDocument } from '../../lib/render/connections-text.ts';
import { assertSeen, readCertificates } from '../../lib/workflow/connections.ts';
import { recipientFor } from '../age-recipient.ts';
import { newConnection, type AddFlags, type NewConnection } from './entry.ts';
import { connectionsToAdd } from './path.ts';
import type { ProgramIo } from '../io.ts';
import { createOutput } from '../output.ts';

export type { AddFlags } from './entry.ts';

/** Keys with a meaning of their own at the top of the files, and the name of a connection without a file. */
const TAKEN = new Set(['default', 'machines', 'users', 'environment']);

function assertName(name: string, { value, file }: OpenFile, flags: AddFlags, argv: ProgramIo['argv']): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name) || TAKEN.has(name)) {
    throw new UsageError('CONNECTION_NAME', `"${name}" cannot be the name of a connection`, {
      hint: `use up to 63 letters, digits, ".", "_" and "-"; not ${[...TAKEN].join(', ')}`,
    });
  }
  if (Object.hasOwn(value, name) && !flags.replace) {
    throw new UsageError('CONNECTION_EXISTS', `${file} has a connection ${name} already`, {
      hint: `choose another name, or
to trust the certificate that its hosts show: ${shellCommand('deploy-stand', 'connections', 'trust', name)}
to replace it, its secret kept where host and login stay the same: ${shellCommand('deploy-stand', ...argv, '--replace')}`,
    });
  }
  if (flags.default && isMapping(value['default'])) {
    throw new UsageError(
      'CONNECTION_DEFAULT',
      `${file} has a connection called "default", so none can be named the default`,
      {
        hint: 'rename it, or leave --default out',
      },
    );
  }
}

/** The secret as it is to stand in the file. */
async function sealed(
  io: ProgramIo,
  flags: AddFlags,
  { entry, stored }: NewConnection,
  warn: (text: string) => void,
): Promise<Entry> {
  if (!flags.encrypt) {
    if (flags.to === undefined) return entry;
    throw new UsageError('NOT_ENCRYPTED', '--to has no meaning without --encrypt', { hint: 'add --encrypt' });
  }
  if (stored.secret.kind !== 'plain') {
    throw new UsageError(
      'NOT_ENCRYPTED',
      '--encrypt is for a secret that stands in the file; this one is kept elsewhere',
      {
        hint: 'leave --encrypt out, or set PVE_PASSWORD or PVE_TOKEN_SECRET instead of naming a place',
      },
    );
  }
  const armor = await encryptText(stored.secret.text, await recipientFor(io, flags, warn));
  return { ...entry, [stored.secretKey]: armor };
}

export async function runConnectionsAdd(io: ProgramIo, flags: AddFlags, name: string): Promise<void> {
  const output = createOutput(io, flags);
  const open = openFile(connectionsToAdd(io, flags));
  const { file, value, text } = open;
  assertName(name, open, flags, io.argv);
  const known = value[name];
  const former = isMapping(known) ? known : undefined;
  const added = newConnection(io, flags, { name, file, former });
  const { stored, wanted } = added;
  const written = await sealed(io, flags, added, (words) => output.warn(words));
  const certificates = await readCertificates(stored.hosts, stored.tls.ca);
  if (wanted) assertSeen(certificates, wanted);
  if (added.dropped.length > 0)
    output.warn(
      `${added.dropped.join(', ')} of the former ${name} ${added.dropped.length === 1 ? 'is' : 'are'} gone: the new one is another host or login`,
    );
  const isPinned = flags.trustFingerprint !== undefined;
  const fingerprints = [...new Set(certificates.map(({ fingerprint }) => fingerprint))];
  const [only = ''] = fingerprints;
  const entry: Entry = {
    ...written,
    ...(isPinned ? { fingerprint: fingerprints.length === 1 ? only : fingerprints } : {}),
  };
  const asDefault = flags.default === true || connectionNames(value).length === 0;
  const expected = { ...value, [name]: entry, ...(asDefault ? { default: name } : {}) };
  await saveFile(open, putEntry(text, file, { name, entry, asDefault }), (now) =>
    isDeepStrictEqual(now, expected),
  );

  if (!asDefault && value['default'] === undefined)
    output.warn(
      `${file} has several connections and names no default: give --connection, or add one with --default`,
    );
  const result = {
    file,
    name,
    isDefault: expected.default === name,
    change: Object.hasOwn(value, name) ? ('replaced' as const) : ('added' as const),
    login: stored.login,
    secret: flags.encrypt ? ({ kind: 'age' } as const) : stored.secret,
    trust: isPinned ? ('fingerprint' as const) : stored.tls.verify ? undefined : ('none' as const),
    certificates,
  };
  output.result(toAddedDocument(result), () => renderAdded(result, output));
}
