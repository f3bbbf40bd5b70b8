/** One round of `balance` on one cluster: move what has to move, and tell those who want to know. */
import type { Language } from '../../lib/render/languages/codes.ts';
import { StandError } from '../../lib/errors.ts';
import type { ApplyEvent } from '../../lib/execute/types.ts';
import type { BalanceSummary } from '../../lib/outcome/types.ts';
import type { Notifier } from '../../lib/notify/notifier.ts';
import type { BalancePlan } from '../../lib/plan/document/plan.ts';
import {
  failureMessage,
  moveMessage,
  startMessage,
  summaryMessage,
} from '../../lib/render/balance-messages.ts';
import type { BalanceOutcome } from '../../lib/workflow/balance.ts';
import type { Hold } from '../../lib/workflow/balance-rounds.ts';
import type { RunContext } from '../../lib/workflow/context.ts';

interface Round {
  readonly hold: Hold;
  /** Name of the connection, for messages; empty when there is one cluster only. */
  readonly connection: string;
  /** Of the messages. */
  readonly language: Language;
  readonly notifier: Notifier;
}

function listen(round: Round, event: ApplyEvent): void {
  const { notifier, connection } = round;
  if (!('step' in event) || event.step.kind !== 'vm.migrate') return;
  const { vmid, node, target } = event.step;
  const details = { connection, vmid, from: node, to: target };
  if (event.type === 'step.succeeded' && event.outcome === 'done') {
    const text = moveMessage(round, event.step, event.durationMs);
    notifier.notify({ event: 'move', text, details: { ...details, seconds: event.durationMs / 1000 } });
  }
  if (event.type !== 'step.failed') return;
  const code = event.error instanceof StandError ? event.error.code : 'INTERNAL';
  const text = failureMessage(round, event.error.message);
  notifier.notify({ event: 'failure', text, details: { ...details, code, message: event.error.message } });
}

function tellStart(round: Round, plan: BalancePlan): void {
  const { notifier, connection } = round;
  const { moves, imbalance } = plan.balance;
  notifier.notify({
    event: 'start',
    text: startMessage(round, plan.balance),
    details: {
      connection,
      moves: moves.map(({ name, from, to, reason }) => ({ name, from, to, reason })),
      imbalance,
    },
  });
}

function tellSummary(round: Round, plan: BalancePlan, summary: BalanceSummary): void {
  const { notifier, connection } = round;
  notifier.notify({
    event: 'summary',
    text: summaryMessage(round, plan.balance, summary),
    details: {
      connection,
      status: summary.status,
      imbalance: plan.balance.imbalance,
      moves: summary.moves,
    },
  });
}

type Listening = Pick<RunContext, 'onPlan' | 'onEvent'>;

/** A round in which nothing moves is told to nobody; one that fails is. */
export async function runBalanceRound<C extends Listening>(
  round: Round,
  context: C,
  act: (context: C, judge: (plan: BalancePlan) => string | undefined) => Promise<BalanceOutcome>,
): Promise<BalanceOutcome> {
  const { hold, notifier, connection } = round;
  try {
    const outcome = await act(
      {
        ...context,
        onPlan: (plan) => {
          context.onPlan(plan);
          if (plan.command === 'balance' && plan.steps.length > 0) tellStart(round, plan);
        },
        onEvent: (event) => {
          context.onEvent(event);
          listen(round, event);
        },
      },
      (plan) => hold.judge(plan),
    );
    if (outcome.plan.steps.length > 0) tellSummary(round, outcome.plan, outcome.summary);
    return outcome;
  } catch (error) {
    if (error instanceof StandError) {
      const { code, message } = error;
      notifier.notify({
        event: 'failure',
        text: failureMessage(round, message),
        details: { connection, code, message },
      });
    }
    throw error;
  } finally {
    await notifier.flush();
  }
}
