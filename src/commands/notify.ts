/** `--notify`: what came of a command goes to Telegram or a webhook, by the same `notify:` section as balance has. */
import { SINK_NAMES, tellsAnybody } from '../lib/config/notify/sinks.ts';
import { loadBalance } from '../lib/config/balance/balance.ts';
import { StandError, UsageError } from '../lib/errors.ts';
import { createNotifier, type Notifier } from '../lib/notify/notifier.ts';
import type { Summary } from '../lib/outcome/types.ts';
import type { Plan } from '../lib/plan/document/plan.ts';
import type { StatusReport } from '../lib/plan/views/status-types.ts';
import { endedMessage, failedMessage, plannedMessage, problemsMessage } from '../lib/render/plan-messages.ts';
import type { ProgramIo } from './io.ts';

interface NotifyFlags {
  readonly notify?: string;
  readonly connection?: string;
}

/** Who is told what. A run in which there is nothing to do is told to nobody. */
export interface Teller {
  planned(plan: Plan, verb?: string): void;
  ended(plan: Plan, summary: Summary, verb?: string): void;
  /** Problems, where they are others than the last time, and that there are none any more. */
  saw(report: StatusReport): void;
}

function open(io: ProgramIo, file: string, warn: (text: string) => void): Notifier {
  const { config, warnings } = loadBalance(file);
  warnings.forEach(warn);
  if (!tellsAnybody(config.notify)) {
    throw new UsageError('NOTIFY_NOBODY', `--notify ${file}: there is neither ${SINK_NAMES}`, {
      hint: 'write a `notify:` section as for balance, see docs/balance.md',
    });
  }
  return createNotifier({ config: config.notify, env: io.env, warn });
}

/** `power stop`, `users sync`: what was done is the news. */
function commandOf(plan: Plan, verb: string | undefined): string {
  const done = 'action' in plan ? plan.action : verb;
  return done === undefined ? plan.command : `${plan.command} ${done}`;
}

const NOBODY: Teller = { planned: () => undefined, ended: () => undefined, saw: () => undefined };

function tellerOf(notifier: Notifier, connection: string): Teller {
  const about = (plan: Plan, verb: string | undefined) => ({ command: commandOf(plan, verb), connection });
  const status = { command: 'status', connection };
  let told = problemsMessage(status, []);
  return {
    planned: (plan, verb) => {
      if (plan.steps.length === 0 && plan.stands.every(({ refused }) => refused === undefined)) return;
      const stands = plan.stands.map(({ user, pool, refused }) => ({
        user,
        pool,
        ...(refused ? { refused } : {}),
      }));
      const details = {
        ...about(plan, verb),
        lab: plan.lab,
        status: 'dry-run',
        steps: plan.steps.length,
        stands,
      };
      notifier.notify({ event: 'summary', text: plannedMessage(about(plan, verb), plan), details });
    },
    ended: (plan, summary, verb) => {
      const { status, steps, stands } = summary;
      if (status === 'nothing-to-do') return;
      const details = {
        ...about(plan, verb),
        lab: plan.lab,
        status,
        steps,
        stands: stands.map(({ user, pool, status: end, error }) => ({
          user,
          pool,
          status: end,
          ...(error ? { error } : {}),
        })),
      };
      const event = status === 'done' ? 'summary' : 'failure';
      notifier.notify({ event, text: endedMessage(about(plan, verb), plan, summary), details });
    },
    saw: ({ problems }) => {
      const text = problemsMessage(status, problems);
      if (text === told) return;
      told = text;
      const event = problems.length === 0 ? 'summary' : 'failure';
      notifier.notify({ event, text, details: { ...status, problems } });
    },
  };
}

/** Does the work, tells of it, and of its failure. What could not be told is a warning, and never more. */
export async function telling(
  io: ProgramIo,
  flags: NotifyFlags,
  { command, warn }: { readonly command: string; readonly warn: (text: string) => void },
  work: (teller: Teller) => Promise<void>,
): Promise<void> {
  if (flags.notify === undefined) return work(NOBODY);
  const notifier = open(io, flags.notify, warn);
  const { connection = '' } = flags;
  const teller = tellerOf(notifier, connection);
  try {
    await work(teller);
  } catch (error) {
    if (error instanceof StandError) {
      const { code, message } = error;
      const text = failedMessage({ command, connection }, message);
      notifier.notify({ event: 'failure', text, details: { command, connection, code, message } });
    }
    throw error;
  } finally {
    await notifier.flush();
  }
}
