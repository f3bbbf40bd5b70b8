/** What `connections trust` does with its flags: look at the certificates, compare, write what is trusted. Sends nothing. */
import { isDeepStrictEqual } from 'node:util';
import { listConnections } from '../../lib/config/connections/connection.ts';
import { defaultName } from '../../lib/config/connections/file.ts';
import { mapping } from '../../lib/config/input/written.ts';
import { selectNames } from '../../lib/connections-edit/encryption.ts';
import { putKey } from '../../lib/connections-edit/entries.ts';
import { openFile, saveFile } from '../../lib/connections-edit/store.ts';
import { InternalError } from '../../lib/errors.ts';
import { sortedUnique } from '../../lib/order.ts';
import { renderAdded, toAddedDocument } from '../../lib/render/connections-text.ts';
import { assertSeen, readCertificates } from '../../lib/workflow/connections.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { createOutput } from '../output.ts';
import { fingerprintsIn } from './entry.ts';
import { presentConnections } from './path.ts';

export async function runConnectionsTrust(
  io: ProgramIo,
  flags: GlobalFlags,
  { name, sha256 }: { readonly name: string; readonly sha256?: string | undefined },
): Promise<void> {
  const output = createOutput(io, flags);
  const wanted = sha256 === undefined ? undefined : fingerprintsIn(sha256, 'the fingerprint');
  const open = openFile(presentConnections(io, flags));
  const { file, value, text } = open;
  selectNames(open, [name]);
  const stored = listConnections({ file }).connections.find((one) => one.name === name);
  if (!stored) throw new InternalError('CONNECTION', 'a sound file has lost a connection');
  const { hosts, tls, login, secret } = stored;
  const certificates = await readCertificates(hosts, tls.ca);
  if (wanted) assertSeen(certificates, wanted, { known: tls.fingerprint?.split(',') ?? [], name });
  const fingerprint = sortedUnique(certificates.map((one) => one.fingerprint)).join(',');
  if (fingerprint !== tls.fingerprint) {
    const expected = { ...value, [name]: { ...mapping(value[name]), fingerprint } };
    await saveFile(open, putKey(text, file, { name, key: 'fingerprint', value: fingerprint }), (now) =>
      isDeepStrictEqual(now, expected),
    );
  }
  const result = {
    ...{ file, name, login, secret, certificates },
    isDefault: defaultName(value) === name,
    change: 'trusted' as const,
    trust: 'fingerprint' as const,
  };
  output.result(toAddedDocument(result), () => renderAdded(result, output));
}
