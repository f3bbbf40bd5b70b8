/** The story of `power`: read what was selected, plan, switch. Takes no lock: nobody plans by what it changes. */
import { tellAbsent } from '../plan/day-two/pools.ts';
import type { Lab } from '../config/types.ts';
import { readAverages } from '../inventory/guest-averages.ts';
import type { RunOutcome } from '../outcome/types.ts';
import { askedAbout, planPower } from '../plan/day-two/power.ts';
import type { PowerOptions } from '../plan/day-two/power-types.ts';
import { marksOf, selectedVmids, type StandSelection } from '../plan/stands/selection.ts';
import { standsScope } from '../privileges/scopes.ts';
import type { PoolInfo, GuestInfo } from '../inventory/types.ts';
import type { PlanContext, RunContext } from './context.ts';
import { planToApply, preview, runStory, type Planned, type Preview, type Request } from './planned-run.ts';
import { runSteps } from './run.ts';
import { assertStorage, readStands, undecidedIn } from './stands.ts';

export interface PowerWant {
  readonly stands: StandSelection;
  readonly lab?: Lab;
  readonly options: PowerOptions;
  /** Between two starts on a node. */
  readonly staggerSeconds?: number;
}

/** Where the memory of a machine goes, its configuration tells; which of them run, the list tells 10 s late. */
function configsToRead({ stands, options }: PowerWant) {
  const savesMemory = options.action === 'suspend' && !options.pause && options.storage === undefined;
  return (pools: readonly PoolInfo[], guests: readonly GuestInfo[]): number[] => {
    if (!savesMemory) return undecidedIn(stands, pools, guests);
    return selectedVmids(stands, marksOf(pools));
  };
}

async function request(want: PowerWant, context: PlanContext): Promise<Request> {
  const { stands: selection, lab, options } = want;
  const brings = options.action === 'start' || options.action === 'resume';
  const seen = await readStands(selection, context, {
    claimed: configsToRead(want),
    // What others of ours have just freed is free.
    live: (pools) => selectedVmids(brings ? {} : selection, marksOf(pools)),
    use: true,
    monitors: true,
    lean: true,
  });
  if (options.storage !== undefined) assertStorage(options.storage, seen.have);
  const facts = { options, labName: selection.lab ?? '', ...(lab ? { lab } : {}), ...seen };
  const idle = options.idle;
  const averages = idle
    ? await readAverages(context, askedAbout(seen.stands, facts), {
        seconds: idle.seconds,
        now: Date.parse(seen.have.now) / 1000,
      })
    : undefined;
  return {
    have: seen.have,
    make: () =>
      tellAbsent(planPower({ ...facts, ...(averages ? { averages } : {}) }), { selection, ...seen }),
    scope: () => standsScope('power', selection, seen.have),
    takesLock: () => false,
  };
}

async function readAndPlan(want: PowerWant, context: PlanContext): Promise<Planned> {
  return planToApply(await request(want, context), context);
}

/** Reads and plans; changes nothing. */
export async function previewPower(want: PowerWant, context: PlanContext): Promise<Preview> {
  return preview(await request(want, context), context);
}

export async function power(want: PowerWant, context: RunContext): Promise<RunOutcome> {
  let nodes: Planned['have']['nodes'] = [];
  return runStory(
    {
      look: async () => {
        const planned = await readAndPlan(want, context);
        nodes = planned.have.nodes;
        return planned;
      },
      takesLock: () => false,
      apply: ({ steps }) => runSteps(steps, context, { nodes, staggerSeconds: want.staggerSeconds }),
    },
    context,
  );
}
