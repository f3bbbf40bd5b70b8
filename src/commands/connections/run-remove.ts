/** What `connections remove` does with its flags: open, take out, write, render. */
import { isDeepStrictEqual } from 'node:util';
import { selectNames } from '../../lib/connections-edit/encryption.ts';
import { removeEntry } from '../../lib/connections-edit/entries.ts';
import { openFile, saveFile } from '../../lib/connections-edit/store.ts';
import { presentConnections } from './path.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { createOutput } from '../output.ts';

export async function runConnectionsRemove(io: ProgramIo, flags: GlobalFlags, name: string): Promise<void> {
  const output = createOutput(io, flags);
  const open = openFile(presentConnections(io, flags));
  const { file, text, value } = open;
  selectNames(open, [name]);
  const isDefault = value['default'] === name;
  const rest = Object.fromEntries(
    Object.entries(value).filter(([key]) => key !== name && !(isDefault && key === 'default')),
  );
  const changed = removeEntry(text, file, { name, isDefault });
  await saveFile(open, changed, (now) => isDeepStrictEqual(now, rest));
  output.result({ file, removed: name, wasDefault: isDefault }, () =>
    [
      `connection ${name} is out of ${file}`,
      ...(isDefault ? ['it was the default: name another with "default: NAME", or give --connection'] : []),
    ].join('\n'),
  );
}
