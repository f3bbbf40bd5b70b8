/** The audit log: who ran what, and every write to the cluster. Must not hold a secret, nor let a write go unrecorded. */
import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { ApplyError, ConnectionError, UsageError, type StandError } from '../errors.ts';
import type { ApplyEvent } from '../execute/types.ts';
import { planText } from '../plan/document/text.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { WriteEnding, WriteRequest, WriteWitness } from '../proxmox/types.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { asFileProblem } from '../files/problem.ts';
import { redactArgv, redactText } from '../redact.ts';
import { escapeJson } from '../render/escape.ts';

/** Lines that are on disk when told so; see audit-file.ts. */
export interface AuditSink {
  append(line: string): Promise<void>;
  close(): Promise<void>;
}

/** Who runs what, and where. */
export interface RunFacts {
  /** The command line without program name; secrets in it are masked here. */
  readonly argv: readonly string[];
  readonly connection: string;
  readonly hosts: readonly string[];
  /** User or token id at PVE. */
  readonly account: string;
  readonly osUser: string;
  readonly osHost: string;
  readonly pid: number;
}

/** Parameters that say which object is meant and what it gets; of all others only the name is kept. */
const TELLING: ReadonlySet<string> = new Set([
  ...[
    'poolid',
    'userid',
    'username',
    'groups',
    'path',
    'roleid',
    'roles',
    'users',
    'iface',
    'type',
    'newid',
    'name',
  ],
  ...[
    'vms',
    'delete',
    'snapname',
    'target',
    'storage',
    'full',
    'purge',
    'skiplock',
    'enable',
    'expire',
    'pool',
  ],
]);
const LONGEST = 1000;

const STATUS: Readonly<Record<ExitCode, string>> = {
  [EXIT.done]: 'done',
  [EXIT.bug]: 'failed',
  [EXIT.usage]: 'failed',
  [EXIT.refused]: 'failed',
  [EXIT.untouched]: 'failed',
  [EXIT.partial]: 'partial',
  [EXIT.pending]: 'pending',
  [EXIT.SIGINT]: 'interrupted',
  [EXIT.SIGTERM]: 'interrupted',
};

function clip(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function reasonOf(cause: unknown): string {
  const known = asFileProblem(cause);
  return known instanceof Error ? known.message : String(known);
}

export class AuditLog implements WriteWitness {
  readonly #sink: AuditSink;
  readonly #clock: Clock;
  readonly #onFailure: (error: StandError) => void;
  readonly #run = randomUUID();
  readonly #steps = { done: 0, failed: 0, skipped: 0 };
  #writes = 0;
  #sent = 0;
  #failure: StandError | undefined;

  /** `onFailure` hears once that nothing can be recorded any more; from then on every write is refused. */
  constructor(sink: AuditSink, clock: Clock, onFailure: (error: StandError) => void) {
    this.#sink = sink;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Throws UsageError where not even this can be recorded: nothing was contacted yet. */
  async start(facts: RunFacts): Promise<void> {
    const argv = redactArgv(facts.argv).map(clip);
    try {
      await this.#sink.append(this.#line('run.start', { ...facts, argv }));
    } catch (cause) {
      await this.#sink.close();
      throw new UsageError('AUDIT_FILE', `the audit file cannot be written: ${reasonOf(cause)}`, {
        hint: 'make room for it, or name another one with --audit-file',
        cause,
      });
    }
  }

  async plan(plan: Plan): Promise<void> {
    const sha256 = createHash('sha256').update(planText(plan)).digest('hex');
    const { command, lab, steps, stands } = plan;
    await this.#record('plan', { sha256, command, lab, steps: steps.length, stands: stands.length });
  }

  /** Counts for the last record. */
  hear({ type }: ApplyEvent): void {
    if (type === 'step.succeeded') this.#steps.done += 1;
    if (type === 'step.failed') this.#steps.failed += 1;
    if (type === 'step.skipped') this.#steps.skipped += 1;
  }

  async begin({ method, path, params, step }: WriteRequest): Promise<(ending: WriteEnding) => Promise<void>> {
    this.#writes += 1;
    const write = this.#writes;
    const named = Object.entries(params);
    const what = {
      write,
      method,
      path: clip(path),
      ...(step === undefined ? {} : { step }),
      target: Object.fromEntries(
        named.filter(([name]) => TELLING.has(name)).map(([name, value]) => [name, clip(redactText(value))]),
      ),
      others: named.flatMap(([name]) => (TELLING.has(name) ? [] : [name])),
    };
    const started = this.#clock.now();
    if (!this.#failure) await this.#record('write.start', what);
    if (this.#failure) throw this.#failure;
    this.#sent += 1;
    return async ({ message, ...ending }) => {
      const durationMs = Math.max(0, Math.round(this.#clock.now() - started));
      const words = message === undefined ? {} : { message: clip(redactText(message)) };
      await this.#record('write.end', { ...what, ...ending, ...words, durationMs });
    };
  }

  async end(exitCode: ExitCode, error?: StandError): Promise<void> {
    const status = error ? 'failed' : STATUS[exitCode];
    const words = error ? { code: error.code, message: clip(redactText(error.message)) } : {};
    await this.#record('run.end', { status, exitCode, steps: this.#steps, writes: this.#sent, ...words });
    await this.#sink.close();
  }

  #line(type: string, details: object): string {
    const time = new Date(this.#clock.wallTime()).toISOString();
    return escapeJson(JSON.stringify({ time, type, run: this.#run, ...details }));
  }

  /** Never throws: what follows from a failure is decided by the next write. */
  async #record(type: string, details: object): Promise<void> {
    if (this.#failure) return;
    try {
      await this.#sink.append(this.#line(type, details));
    } catch (cause) {
      this.#fail(cause);
    }
  }

  #fail(cause: unknown): void {
    if (this.#failure) return;
    const message = `the audit file cannot be written any more: ${reasonOf(cause)}`;
    const hint = 'make room for it, then run the same command again: it goes on where this one stopped';
    this.#failure =
      this.#sent === 0
        ? new ConnectionError('AUDIT_FAILED', message, { hint, cause })
        : new ApplyError('AUDIT_FAILED', message, { hint, cause });
    this.#onFailure(this.#failure);
  }
}
