/** How a round of `balance` goes on the platform that a connection leads to. The stories are in workflow/. */
import { createNotifier } from '../../lib/notify/notifier.ts';
import type { BalanceSummary } from '../../lib/outcome/types.ts';
import type { BalancePlan } from '../../lib/plan/document/plan.ts';
import {
  balance,
  previewBalance,
  type BalanceOutcome,
  type BalanceWant,
} from '../../lib/workflow/balance.ts';
import type { Hold } from '../../lib/workflow/balance-rounds.ts';
import {
  balanceVmmanager,
  previewVmmanager,
  type VmmanagerContext,
  type VmmanagerWant,
} from '../../lib/workflow/balance-vmmanager.ts';
import { MigrationMemory } from '../../lib/workflow/migration-memory.ts';
import type { Changing } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import type { VmmanagerSession } from '../session.ts';
import { runBalanceRound } from './round.ts';
import { connectionName, type BalanceSettings, type Target } from './settings.ts';

interface Preview {
  readonly plan: BalancePlan;
  readonly summary: BalanceSummary;
}

/** A connection, and what is remembered of it from round to round. */
export interface Place {
  preview(): Promise<Preview>;
  round(hold: Hold): Promise<BalanceOutcome>;
}

interface Tools {
  readonly io: ProgramIo;
  readonly run: Changing;
  readonly settings: BalanceSettings;
  readonly want: BalanceWant;
}

function notifierFor({ io, run, want }: Tools) {
  return createNotifier({
    config: want.config.notify,
    env: io.env,
    warn: (text) => run.output.warn(text),
  });
}

function pvePlace(target: string | undefined, tools: Tools): Place {
  const { run, want } = tools;
  return {
    preview: async () => {
      const outcome = await previewBalance(want, await run.runContext(target));
      await run.warnLacking(outcome.lacking, target);
      return outcome;
    },
    round: async (hold) =>
      runBalanceRound(
        { hold, connection: target ?? '', language: tools.settings.language, notifier: notifierFor(tools) },
        await run.runContext(target),
        (context, judge) => balance(want, context, judge),
      ),
  };
}

async function vmmanagerPlace(target: Target, session: VmmanagerSession, tools: Tools): Promise<Place> {
  const { vmmanager, timeZone, url } = session;
  const { io, run, settings } = tools;
  const ssh = settings.ssh ?? session.ssh;
  const want: VmmanagerWant = { ...tools.want, clusters: settings.clusters };
  const memory = await MigrationMemory.open(url, settings.stateFile);
  const contextOf = async (): Promise<VmmanagerContext> => ({
    ...(await run.baseContext(target)),
    ...{ vmmanager, timeZone, memory },
    ...(ssh ? { monitor: { settings: ssh, env: io.env } } : {}),
  });
  return {
    preview: async () => previewVmmanager(want, await contextOf()),
    round: async (hold) =>
      runBalanceRound(
        {
          hold,
          connection: connectionName(target) ?? '',
          language: settings.language,
          notifier: notifierFor(tools),
        },
        await contextOf(),
        (context, judge) => balanceVmmanager(want, context, judge),
      ),
  };
}

/** Contacts nothing yet. */
export async function placeOf(target: Target, tools: Tools): Promise<Place> {
  const session = await tools.run.connectAny(target);
  switch (session.platform) {
    case 'pve':
      return pvePlace(connectionName(target), tools);
    case 'vmmanager6':
      return vmmanagerPlace(target, session, tools);
  }
}
