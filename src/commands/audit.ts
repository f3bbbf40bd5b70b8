/** Opens the audit log of a command: who runs it, on which machine, against which cluster. */
import { hostname } from 'node:os';
import { AuditFile } from '../lib/audit/audit-file.ts';
import { AuditLog } from '../lib/audit/audit-log.ts';
import type { Connection } from '../lib/config/types.ts';
import type { StandError } from '../lib/errors.ts';
import type { ProgramIo } from './io.ts';
import { userName } from './owner.ts';

/** Throws UsageError when the file cannot be used; nothing has been contacted yet. */
export async function openAudit(
  file: string,
  { argv, clock }: Pick<ProgramIo, 'argv' | 'clock'>,
  {
    connection,
    onFailure,
  }: { readonly connection: Connection; readonly onFailure: (error: StandError) => void },
): Promise<AuditLog> {
  const { name, hosts, auth } = connection;
  // Simulated time would tell nobody when it was.
  const log = new AuditLog(await AuditFile.open(file), clock, onFailure);
  await log.start({
    argv,
    connection: name,
    hosts,
    account: auth.kind === 'token' ? auth.tokenId : auth.user,
    osUser: userName(),
    osHost: hostname(),
    pid: process.pid,
  });
  return log;
}
