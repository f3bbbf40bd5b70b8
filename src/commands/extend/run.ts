/** What `extend` does with its flags: select, plan, apply, render. */
import { isoDay } from '../../lib/config/input/dates.ts';
import { UsageError } from '../../lib/errors.ts';
import type { ExtendOptions } from '../../lib/plan/day-two/extend.ts';
import type { RunContext } from '../../lib/workflow/context.ts';
import { extend, previewExtend, type ExtendWant } from '../../lib/workflow/extend.ts';
import type { ProgramIo } from '../io.ts';
import { runPlanned, type PlanFlags } from '../planned-command.ts';
import { needSelection } from '../selection.ts';
import type { SelectionFlags } from '../selection-options.ts';

export interface ExtendFlags extends PlanFlags, SelectionFlags {
  readonly until?: string;
  readonly by?: string;
  readonly shorten?: true;
}

function untilOf({ until, by }: ExtendFlags): ExtendOptions['until'] {
  if ((until === undefined) === (by === undefined)) {
    throw new UsageError('UNTIL', 'extend takes one of --until and --by', {
      hint: 'for example: --until 2027-01-31, or --by 7d',
    });
  }
  if (until !== undefined) {
    const date = isoDay(until);
    if (date !== undefined) return { date };
    throw new UsageError('UNTIL', `--until takes a day as YYYY-MM-DD, got ${JSON.stringify(until)}`, {
      hint: 'for example: --until 2027-01-31',
    });
  }
  const [, count, unit] = /^([1-9]\d{0,3})([dw])$/.exec(by ?? '') ?? [];
  if (count !== undefined) return { days: Number(count) * (unit === 'w' ? 7 : 1) };
  throw new UsageError('BY', `--by takes days or weeks, got ${JSON.stringify(by)}`, {
    hint: 'for example: --by 7d, or --by 2w',
  });
}

export async function runExtend(io: ProgramIo, flags: ExtendFlags): Promise<void> {
  const until = untilOf(flags);
  await runPlanned(io, flags, async (run) => {
    const { stands } = await needSelection(flags, run, { command: 'extend' });
    const want: ExtendWant = { selection: stands, options: { until, shorten: flags.shorten === true } };
    return {
      preview: (context) => previewExtend(want, context),
      apply: (context: RunContext) => extend(want, context),
    };
  });
}
