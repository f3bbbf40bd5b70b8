/** What `connections list` does with its flags: read, render. */
import { listConnections } from '../../lib/config/connections/connection.ts';
import { CONNECTION_VARIABLES } from '../../lib/config/connections/env.ts';
import { renderConnections, toConnectionsDocument } from '../../lib/render/connections-text.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { createOutput } from '../output.ts';
import { connectionOptions } from '../session.ts';

export function runConnectionsList(io: ProgramIo, flags: GlobalFlags): void {
  const output = createOutput(io, flags);
  const list = listConnections(connectionOptions(io, flags));
  list.warnings.forEach((warning) => output.warn(warning));
  const set = Object.values(CONNECTION_VARIABLES).filter((variable) => (io.env[variable] ?? '') !== '');
  if (set.length > 0)
    output.warn(`${set.join(', ')} in the environment: other commands use it in place of the file`);
  output.result(toConnectionsDocument(list), () => renderConnections(list, output));
}
