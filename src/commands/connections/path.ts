/** Which connections file a command changes. */
import { noFile, presentFile, usualPlaces } from '../../lib/config/connections/file.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { connectionOptions } from '../session.ts';

/** The file that other commands would read. */
export function presentConnections(io: ProgramIo, flags: GlobalFlags): string {
  const options = connectionOptions(io, flags);
  return presentFile(options) ?? noFile(options);
}

/** The same, or the first of the usual places for one that is yet to be made. */
export function connectionsToAdd(io: ProgramIo, flags: GlobalFlags): string {
  const options = connectionOptions(io, flags);
  return presentFile(options) ?? usualPlaces(options)[0] ?? 'connections.yml';
}
