/** What `connections encrypt`, `decrypt` and `rekey` do with their flags: open, change, write, render. */
import { changeSecrets, selectNames, type Work } from '../../lib/connections-edit/encryption.ts';
import { openFile, saveFile } from '../../lib/connections-edit/store.ts';
import { renderSecrets } from '../../lib/render/connections-text.ts';
import { keysOf, newRecipientFor, recipientFor } from '../age-recipient.ts';
import { presentConnections } from './path.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { createOutput } from '../output.ts';

export interface SecretsFlags extends GlobalFlags {
  readonly to?: readonly string[];
  readonly newPassphraseFile?: string;
}

export async function runConnectionsSecrets(
  io: ProgramIo,
  flags: SecretsFlags,
  { work, names }: { readonly work: Work['do']; readonly names: readonly string[] },
): Promise<void> {
  const output = createOutput(io, flags);
  const open = openFile(presentConnections(io, flags));
  const warn = (text: string): void => output.warn(text);
  const keys = () => keysOf(io, flags, warn);
  const works = {
    encrypt: { do: 'encrypt', to: () => recipientFor(io, flags, warn) },
    decrypt: { do: 'decrypt', keys },
    rekey: { do: 'rekey', keys, to: () => newRecipientFor(io, flags, warn) },
  } satisfies Record<Work['do'], Work>;
  const changed = await changeSecrets(open, selectNames(open, names), { work: works[work] });
  if (changed.isChanged) await saveFile(open, changed.text, changed.isMeant);
  const { secrets, isChanged } = changed;
  output.result({ file: open.file, changed: isChanged, secrets }, () =>
    renderSecrets({ file: open.file, isChanged, secrets }, output),
  );
}
