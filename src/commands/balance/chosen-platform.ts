/** Which platform a run of `balance` is for, as far as the command line and the connections file say. Contacts nothing. */
import { listConnections } from '../../lib/config/connections/connection.ts';
import type { Platform } from '../../lib/config/balance/env-reader.ts';
import { ConfigError } from '../../lib/errors.ts';
import { isVmmanagerScenario } from '../../lib/vmmanager-stand-in/scenario.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { connectionOptions } from '../session.ts';
import { readScenario } from '../simulated-files.ts';

/** What is wrong with the file is told when it is used. */
function platformOf(io: ProgramIo, flags: GlobalFlags, names: readonly string[] | undefined): Platform {
  try {
    const { connections, default: usual } = listConnections(connectionOptions(io, flags));
    const meant = connections.filter(({ name }) => (names ?? [usual]).includes(name));
    const isOther = meant.length > 0 && meant.every(({ platform }) => platform !== undefined);
    return isOther ? 'vmmanager6' : 'pve';
  } catch (error) {
    if (error instanceof ConfigError) return 'pve';
    throw error;
  }
}

/** Undefined: the command line names no connection. */
export function chosenPlatform(io: ProgramIo, flags: GlobalFlags): Platform | undefined {
  const { simulate, connection } = flags;
  if (typeof simulate === 'string')
    return isVmmanagerScenario(readScenario(simulate), simulate) ? 'vmmanager6' : 'pve';
  if (simulate === true) return 'pve';
  if (connection === undefined) return undefined;
  const names = connection.split(',').map((name) => name.trim());
  return platformOf(io, { ...flags, connection: names[0] ?? '' }, names);
}

/** Of the connection that is used when none is named. */
export function usualPlatform(io: ProgramIo, flags: GlobalFlags): Platform {
  return platformOf(io, flags, undefined);
}
