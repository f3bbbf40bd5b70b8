/** What `power` does with its flags: select, plan, switch, render. */
import { UsageError } from '../../lib/errors.ts';
import type { IfState } from '../../lib/plan/day-two/power-deeds.ts';
import type { PowerAction } from '../../lib/plan/document/plan.ts';
import { power, previewPower, type PowerWant } from '../../lib/workflow/power.ts';
import type { RunContext } from '../../lib/workflow/context.ts';
import { spanText } from '../../lib/pve-values/moment.ts';
import type { ProgramIo } from '../io.ts';
import { runPlanned, type PlanFlags } from '../planned-command.ts';
import { needSelection } from '../selection.ts';
import type { SelectionFlags } from '../selection-options.ts';

export interface PowerFlags extends PlanFlags, SelectionFlags {
  readonly timeout?: number;
  readonly lockWait: number;
  readonly force?: true;
  readonly pause?: true;
  readonly storage?: string;
  readonly fit?: true;
  readonly stagger?: number;
  readonly ifState?: IfState;
  readonly idle?: number;
  readonly idleCpu?: number;
  readonly idleNetwork?: number;
}

/** Statistics reach back a day in steps that say something. */
const SHORTEST_IDLE = 600;
const LONGEST_IDLE = 86_400;

function assertSense({ idle, pause, storage }: PowerFlags): void {
  if (idle !== undefined && (idle < SHORTEST_IDLE || idle > LONGEST_IDLE)) {
    throw new UsageError('IDLE_TIME', `--idle takes 10m to 24h, got ${spanText(idle)}`, {
      hint: 'for example: --idle 2h',
    });
  }
  if (pause && storage !== undefined) {
    throw new UsageError('PAUSE_STORAGE', '--pause writes nothing to a storage, and --storage names one', {
      hint: 'leave one of them out',
    });
  }
}

function optionsOf(action: PowerAction, flags: PowerFlags): PowerWant['options'] {
  const { storage, ifState, idle, idleCpu = 0, idleNetwork = 0 } = flags;
  return {
    action,
    timeoutSeconds: flags.timeout ?? 0,
    lockWaitSeconds: flags.lockWait,
    force: flags.force === true,
    pause: flags.pause === true,
    fit: flags.fit === true,
    ...(storage === undefined ? {} : { storage }),
    ...(ifState === undefined ? {} : { ifState }),
    ...(idle === undefined
      ? {}
      : { idle: { seconds: idle, cpu: idleCpu / 100, network: idleNetwork * 1024 } }),
  };
}

export async function runPower(io: ProgramIo, action: PowerAction, flags: PowerFlags): Promise<void> {
  await runPlanned(io, flags, async (run) => {
    assertSense(flags);
    const { stands, lab } = await needSelection(flags, run, { command: `power ${action}` });
    const want: PowerWant = {
      stands,
      ...(lab ? { lab } : {}),
      options: optionsOf(action, flags),
      ...(flags.stagger === undefined ? {} : { staggerSeconds: flags.stagger }),
    };
    return {
      preview: (context: RunContext) => previewPower(want, context),
      apply: (context: RunContext) => power(want, context),
    };
  });
}
