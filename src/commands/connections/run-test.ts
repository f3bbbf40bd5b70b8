/** What `connections test` does with its flags: load each, ask each, render. */
import pMap from 'p-map';
import { AuditFile } from '../../lib/audit/audit-file.ts';
import type { AuditLog } from '../../lib/audit/audit-log.ts';
import {
  listConnections,
  loadConnection,
  type ConnectionOptions,
} from '../../lib/config/connections/connection.ts';
import { overlayOf, CONNECTION_VARIABLES } from '../../lib/config/connections/env.ts';
import { PLATFORMS } from '../../lib/config/connections/platform.ts';
import { configError } from '../../lib/config/input/issues.ts';
import { nearest } from '../../lib/nearest.ts';
import type { Connection } from '../../lib/config/types.ts';
import type { ConnectionReport } from '../../lib/connections-edit/types.ts';
import { UsageError } from '../../lib/errors.ts';
import type { ExitCode } from '../../lib/exit.ts';
import { exitCodeOfFindings } from '../../lib/outcome/exit-code.ts';
import { renderTests, toTestsDocument } from '../../lib/render/connection-tests-text.ts';
import { testConnection, type Loaded } from '../../lib/workflow/connections.ts';
import { openAudit } from '../audit.ts';
import { runChanging } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { connectionOptions } from '../session.ts';
import { toStandError } from '../stand-error.ts';

const AT_ONCE = 8;
function codeOf(reports: readonly ConnectionReport[]): ExitCode {
  return exitCodeOfFindings({ isUntouched: reports.some(({ ok }) => !ok) });
}

interface Candidate {
  readonly name: string;
  readonly options: ConnectionOptions;
}

function unknownNames(file: string, names: readonly string[], known: readonly string[]): never {
  throw configError(
    names.map((name) => {
      const near = nearest(name, known);
      const hint = near === undefined ? `there are: ${known.join(', ')}` : `did you mean ${near}?`;
      return { file, path: '', message: `there is no connection "${name}"`, hint };
    }),
  );
}

/** As every command would choose; the environment speaks for one connection only. */
function candidates(
  io: ProgramIo,
  flags: GlobalFlags,
  names: readonly string[],
  warn: (text: string) => void,
): Candidate[] {
  const options = connectionOptions(io, flags);
  const wanted = names.length > 0 ? names : (options.name?.split(',') ?? []);
  const { isComplete, raw } = overlayOf(io.env);
  if (isComplete && wanted.length === 0 && options.file === undefined)
    return [{ name: 'environment', options }];
  const { file, connections, warnings } = listConnections(options);
  warnings.forEach(warn);
  const known = connections.map(({ name }) => name);
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) unknownNames(file, unknown, known);
  const chosen = wanted.length > 0 ? known.filter((name) => wanted.includes(name)) : known;
  const { platform = 'pve' } = connections.find(({ name }) => name === chosen[0]) ?? {};
  const { isInEnvironment } = PLATFORMS[platform];
  const overrides = chosen.length === 1 && isInEnvironment;
  const set = Object.keys(raw).flatMap((key) => CONNECTION_VARIABLES[key] ?? []);
  if (set.length > 0 && (isInEnvironment || chosen.length > 1))
    warn(
      overrides
        ? `${set.join(', ')} of the environment used in place of the file, as other commands do`
        : 'PVE_* variables are left aside, because several connections are tested',
    );
  return chosen.map((name) => ({ name, options: { ...options, file, name, overrides } }));
}

/** Each connection is a run of its own in the file: it has an account and hosts of its own. */
async function auditOf(
  io: ProgramIo,
  file: string,
  connection: Connection,
  warn: (text: string) => void,
): Promise<AuditLog> {
  return openAudit(file, io, { connection, onFailure: ({ message }) => warn(message) });
}

export async function runConnectionsTest(
  io: ProgramIo,
  flags: GlobalFlags,
  names: readonly string[],
): Promise<void> {
  if (flags.simulate !== undefined) {
    throw new UsageError('SIMULATE', '--simulate has no connection to test', {
      hint: 'leave it out; to practise, serve the simulator: deploy-stand simulate',
    });
  }
  await runChanging(io, flags, async (run) => {
    const told = new Set<string>();
    const warn = (text: string): void => {
      if (!told.has(text)) run.output.warn(text);
      told.add(text);
    };
    const tools = {
      ...{ clock: io.clock, hard: run.hard, env: io.env, onRequest: run.onRequest },
      ...(io.connect ? { connect: io.connect } : {}),
    };
    const test = async ({ name, options }: Candidate): Promise<ConnectionReport> => {
      let audit: AuditLog | undefined;
      const load = async (): Promise<Loaded> => {
        const { connection, warnings } = await loadConnection(options);
        warnings.forEach(warn);
        if (flags.auditFile !== undefined) audit = await auditOf(io, flags.auditFile, connection, warn);
        return { connection, ...(audit ? { witness: audit } : {}) };
      };
      try {
        const report = await testConnection(name, load, tools);
        await audit?.end(codeOf([report]));
        return report;
      } catch (error) {
        const ending = toStandError(error);
        await audit?.end(ending.exitCode, ending);
        throw error;
      }
    };
    const all = candidates(io, flags, names, warn);
    // One that cannot be used is no fault of a connection.
    if (flags.auditFile !== undefined) await (await AuditFile.open(flags.auditFile)).close();
    const reports = await pMap(all, test, { concurrency: AT_ONCE });
    run.finish();
    run.output.result(toTestsDocument(reports), () => renderTests(reports, run.output));
    io.setExitCode(codeOf(reports));
  });
}
