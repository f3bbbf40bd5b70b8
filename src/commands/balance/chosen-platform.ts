/** Which platform a run of `balance` is for, as far as the command line and the connections file say. Contacts nothing. */
import { listConnections } from '../../lib/config/connections/connection.ts';
import type { StoredConnection } from '../../lib/config/connections/types.ts';
import type { Platform } from '../../lib/config/types.ts';
import { ConfigError } from '../../lib/errors.ts';
import { isVmmanagerScenario } from '../../lib/vmmanager-stand-in/scenario.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { connectionOptions } from '../session.ts';
import { readScenario } from '../simulated-files.ts';

/** What is wrong with the file is told when it is used. */
function meantBy(io: ProgramIo, flags: GlobalFlags): readonly StoredConnection[] {
  const names = flags.connection?.split(',').map((name) => name.trim());
  try {
    const { connections, default: usual } = listConnections(connectionOptions(io, flags));
    return connections.filter(({ name }) => (names ?? [usual]).includes(name));
  } catch (error) {
    if (error instanceof ConfigError) return [];
    throw error;
  }
}

function platformOf(io: ProgramIo, flags: GlobalFlags): Platform {
  const [first = 'pve', ...more] = new Set(meantBy(io, flags).map(({ platform }) => platform));
  return more.length === 0 ? first : 'pve';
}

/** Undefined: the command line names no connection. */
export function chosenPlatform(io: ProgramIo, flags: GlobalFlags): Platform | undefined {
  const { simulate, connection } = flags;
  if (typeof simulate === 'string')
    return isVmmanagerScenario(readScenario(simulate), simulate) ? 'vmmanager6' : 'pve';
  if (simulate === true) return 'pve';
  if (connection === undefined) return undefined;
  return platformOf(io, flags);
}

/** Of the connection that is used when none is named. */
export function usualPlatform(io: ProgramIo, flags: GlobalFlags): Platform {
  return platformOf(io, flags);
}

/** Does each of them say how its nodes are reached over SSH? */
export function haveSsh(io: ProgramIo, flags: GlobalFlags): boolean {
  if (flags.simulate !== undefined) return false;
  const meant = meantBy(io, flags);
  return meant.length > 0 && meant.every(({ ssh }) => ssh !== undefined);
}
