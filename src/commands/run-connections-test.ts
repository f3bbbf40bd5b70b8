/** What `connections test` does with its flags: load each, ask each, render. */
import pMap from 'p-map';
import { listConnections, loadConnection, type ConnectionOptions } from '../lib/config/connection.ts';
import { overlayOf } from '../lib/config/connection-env.ts';
import { configError, nearest } from '../lib/config/issues.ts';
import { UsageError } from '../lib/errors.ts';
import { renderTests, toTestsDocument } from '../lib/render/connection-tests-text.ts';
import { testConnection } from '../lib/workflow/connections.ts';
import { runChanging } from './changing.ts';
import type { ProgramIo } from './io.ts';
import type { GlobalFlags } from './options.ts';
import { connectionOptions } from './session.ts';

const AT_ONCE = 8;
const FAILED = 4;

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
  const overrides = chosen.length === 1;
  if (!overrides && Object.keys(raw).length > 0)
    warn('PVE_* variables are left aside, because several connections are tested');
  return chosen.map((name) => ({ name, options: { ...options, file, name, overrides } }));
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
    const load = async ({ options }: Candidate) => {
      const { connection, warnings } = await loadConnection(options);
      warnings.forEach(warn);
      return connection;
    };
    const reports = await pMap(
      candidates(io, flags, names, warn),
      (one) =>
        testConnection(one.name, () => load(one), {
          clock: io.clock,
          hard: run.hard,
          onRequest: run.onRequest,
        }),
      { concurrency: AT_ONCE },
    );
    run.finish();
    run.output.result(toTestsDocument(reports), () => renderTests(reports, run.output));
    if (reports.some(({ ok }) => !ok)) io.setExitCode(FAILED);
  });
}
