/** What `balance` does with its flags: rounds over clusters, results, metrics, exit code. */
import { CancelledError, InternalError, StandError } from '../../lib/errors.ts';
import type { ExitCode } from '../../lib/exit.ts';
import type { BalanceSummary } from '../../lib/outcome/types.ts';
import { createNotifier } from '../../lib/notify/notifier.ts';
import type { BalancePlan } from '../../lib/plan/document/plan.ts';
import { renderBalance, type BalanceOptions } from '../../lib/render/balance-text.ts';
import { toErrorDocument } from '../../lib/render/error-json.ts';
import { toResultDocument } from '../../lib/render/result-json.ts';
import type { BalanceWant } from '../../lib/workflow/balance.ts';
import { isMetrics, writeMetrics, type BalanceFigures } from '../../lib/workflow/balance-metrics.ts';
import { Hold } from '../../lib/workflow/balance-rounds.ts';
import {
  exitCodeOf,
  exitCodeOfFindings,
  isNothingToDo,
  stopOfService,
  worstExitCode,
} from '../../lib/outcome/exit-code.ts';
import { placeOf, type Place } from './platforms.ts';
import {
  loadSettings,
  connectionName,
  type BalanceFlags,
  type BalanceSettings,
  type Target,
} from './settings.ts';
import { runChanging, type Changing } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import { assertMetricsFile, orWarn } from '../metrics-file.ts';
import { isPending } from '../planned-command.ts';

const SECOND = 1000;

/** One cluster's round: what came of it, or why nothing could. */
interface Result {
  readonly connection: string | undefined;
  readonly exitCode: ExitCode;
  readonly seconds: number;
  readonly outcome?: { readonly plan: BalancePlan; readonly summary: BalanceSummary };
  readonly error?: StandError;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

class BalanceRun {
  readonly #io: ProgramIo;
  readonly #flags: BalanceFlags;
  readonly #run: Changing;
  readonly #settings: BalanceSettings;
  readonly #want: BalanceWant;
  readonly #holds: ReadonlyMap<Target, Hold>;
  readonly #places = new Map<Target, Promise<Place>>();

  constructor(
    io: ProgramIo,
    flags: BalanceFlags,
    {
      run,
      settings,
      evacuate,
    }: {
      readonly run: Changing;
      readonly settings: BalanceSettings;
      readonly evacuate: readonly string[] | undefined;
    },
  ) {
    this.#io = io;
    this.#flags = flags;
    this.#run = run;
    this.#settings = settings;
    const { config, connections, interval } = settings;
    this.#want = { config, ...(evacuate ? { evacuate } : {}) };
    // A single round has no others to be counted with.
    const rounds = interval === undefined ? 1 : config.hold;
    this.#holds = new Map(connections.map((target) => [target, new Hold(rounds)]));
  }

  /** One after another: a cluster that fails does not stop the others. */
  async round(): Promise<readonly Result[]> {
    const results: Result[] = [];
    for (const connection of this.#settings.connections) {
      if (this.#run.soft.aborted && results.length > 0) break;
      results.push(await this.#balance(connection));
    }
    return results;
  }

  async #balance(target: Target): Promise<Result> {
    const connection = connectionName(target);
    const { clock } = await this.#run.connectAny(target);
    const begun = clock.now();
    const seconds = (): number => (clock.now() - begun) / SECOND;
    try {
      const result = await this.#act(target);
      return { connection, seconds: seconds(), ...result };
    } catch (error) {
      const known = isAbort(error) ? new CancelledError(this.#run.stoppedBy() ?? 'SIGINT', 'stopped') : error;
      if (!(known instanceof StandError)) throw error;
      return { connection, seconds: seconds(), error: known, exitCode: known.exitCode };
    }
  }

  #place(target: Target): Promise<Place> {
    const known = this.#places.get(target);
    if (known) return known;
    const place = placeOf(target, {
      ...{ io: this.#io, run: this.#run, settings: this.#settings, want: this.#want },
    });
    this.#places.set(target, place);
    return place;
  }

  async #act(target: Target): Promise<Pick<Result, 'outcome' | 'exitCode'>> {
    const place = await this.#place(target);
    if (this.#flags.dryRun) {
      const outcome = await place.preview();
      const exitCode = exitCodeOfFindings({
        isPartial: (outcome.plan.balance.remaining ?? []).length > 0,
        isPending: this.#flags.detailedExitcode && isPending(outcome.plan),
      });
      return { outcome, exitCode };
    }
    const outcome = await place.round(this.#holds.get(target) ?? new Hold(1));
    return { outcome, exitCode: exitCodeOf(outcome, this.#run.stoppedBy()) };
  }

  /** A dry run leaves no trace, here neither. */
  async writeMetrics(results: readonly Result[]): Promise<void> {
    const file = this.#want.config.metricsFile;
    if (file === undefined || this.#flags.dryRun) return;
    const figures = results.map(({ connection, exitCode, seconds, outcome }): BalanceFigures => ({
      connection: connection ?? 'default',
      exitCode,
      seconds,
      ended: this.#io.clock.wallTime() / SECOND,
      ...(outcome ? { result: { report: outcome.plan.balance, summary: outcome.summary } } : {}),
    }));
    await orWarn(file, writeMetrics(file, figures), this.#run.output);
  }

  /** One document; by interval one for each round. */
  print(results: readonly Result[]): void {
    const { output } = this.#run;
    const documents = results.map((result) => documentOf(result, results.length > 1));
    const document = results.length > 1 ? { connections: documents } : documents[0];
    const isNothing = results.every(
      ({ outcome, exitCode }) => outcome !== undefined && isNothingToDo(outcome, exitCode),
    );
    const warnings = results.flatMap(({ outcome }) => outcome?.plan.warnings ?? []);
    const text = (): string =>
      results
        .map((result) => textOf(result, results.length > 1, { ...output, language: this.#settings.language }))
        .join('\n\n');
    if (this.#settings.interval !== undefined && !output.isText) output.inStream(document, text);
    else output.ended({ isNothing, warnings }, document, text);
  }

  async sleep(seconds: number, end: AbortSignal): Promise<void> {
    const { clock } = await this.#run.connectAny(this.#settings.connections[0]);
    await clock.sleep(seconds * SECOND, end);
  }
}

function documentOf({ connection, outcome, error }: Result, isNamed: boolean): Record<string, unknown> {
  const body = outcome
    ? toResultDocument(outcome.plan, outcome.summary)
    : error
      ? toErrorDocument(error)
      : {};
  return isNamed ? { connection: connection ?? null, ...body } : body;
}

function textOf({ connection, outcome, error }: Result, isNamed: boolean, options: BalanceOptions): string {
  const text = outcome
    ? renderBalance(outcome.plan, outcome.summary, options)
    : [error?.message ?? '', ...(error?.hint === undefined ? [] : [`hint: ${error.hint}`])].join('\n');
  return isNamed ? `${connection ?? ''}: ${text}` : text;
}

async function runOnce(io: ProgramIo, run: Changing, rounds: BalanceRun): Promise<void> {
  const results = await rounds.round();
  await rounds.writeMetrics(results);
  run.finish();
  const [only] = results;
  // The one boundary for errors tells of it.
  if (results.length === 1 && only?.error) throw only.error;
  rounds.print(results);
  io.setExitCode(worstExitCode(results.map(({ exitCode }) => exitCode)));
}

/** Sleeps; false: `end` came. */
async function rest(rounds: BalanceRun, end: AbortSignal, seconds: number): Promise<boolean> {
  if (end.aborted) return false;
  try {
    await rounds.sleep(seconds, end);
    return true;
  } catch (error) {
    if (isAbort(error)) return false;
    throw error;
  }
}

interface Endless {
  readonly rounds: BalanceRun;
  readonly interval: number;
  readonly jitter: number;
  /** A signal, or nobody is there any more. */
  readonly end: AbortSignal;
}

/** A migration under way is waited for; a first SIGTERM, and nobody to read the results, are clean ends. */
async function runForever(
  io: ProgramIo,
  run: Changing,
  { rounds, interval, jitter, end }: Endless,
): Promise<void> {
  let results: readonly Result[];
  do {
    results = await rounds.round();
    await rounds.writeMetrics(results);
    run.finish();
    if (!results.every(({ error }) => error instanceof CancelledError)) rounds.print(results);
    const bug = results.find(({ error }) => error instanceof InternalError)?.error;
    if (bug) throw bug;
  } while (await rest(rounds, end, interval + Math.random() * jitter));
  const signal = run.stoppedBy();
  // Without a signal it may have stopped by itself, because its writes could not be recorded.
  if (signal === undefined && run.soft.aborted)
    io.setExitCode(worstExitCode(results.map(({ exitCode }) => exitCode)));
  else io.setExitCode(exitCodeOfFindings({ stoppedBy: stopOfService(signal, run.hard.aborted) }));
}

export async function runBalance(
  io: ProgramIo,
  flags: BalanceFlags,
  evacuate?: readonly string[],
): Promise<void> {
  const settings = loadSettings(io, flags, evacuate !== undefined);
  const { config, connections, interval } = settings;
  if (config.metricsFile !== undefined && !flags.dryRun)
    await assertMetricsFile(config.metricsFile, isMetrics);
  await runChanging(io, { ...flags, logLevel: settings.logLevel }, async (run) => {
    for (const warning of settings.warnings) run.output.warn(warning);
    // What is wrong with secrets and connections is said before anything is contacted.
    if (!flags.dryRun) createNotifier({ config: config.notify, env: io.env, warn: () => undefined });
    for (const target of connections) await run.connectAny(target);
    const rounds = new BalanceRun(io, flags, { run, settings, evacuate });
    const { jitter } = config;
    const end = interval === undefined ? run.soft : AbortSignal.any([run.soft, run.unattended]);
    const delay = Math.random() * jitter;
    if (!flags.dryRun && delay > 0 && !(await rest(rounds, end, delay))) {
      const signal = run.stoppedBy();
      if (signal === undefined) return;
      throw new CancelledError(signal, 'stopped before the first round');
    }
    if (interval === undefined) await runOnce(io, run, rounds);
    else await runForever(io, run, { rounds, interval, jitter, end });
  });
}
