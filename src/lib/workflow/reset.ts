/** The story of `reset --reclone`: look, plan a deploy of these machines alone, under the planning lock plan again, apply. */
import { tellAbsent } from '../plan/day-two/pools.ts';
import { isAnyCloning } from '../plan/cluster/locks.ts';
import type { Lab, User } from '../config/types.ts';
import { UsageError } from '../errors.ts';
import { readInventory } from '../inventory/read.ts';
import { readSnapshots } from '../inventory/snapshots.ts';
import type { Inventory } from '../inventory/types.ts';
import type { RunOutcome } from '../outcome/types.ts';
import { viewOf, type ClusterView } from '../plan/cluster/view.ts';
import type { RecloneWords } from '../plan/day-two/reclone-hint.ts';
import { recloneTargets } from '../plan/day-two/reclone.ts';
import { planDeploy } from '../plan/deploy/deploy.ts';
import type { Plan } from '../plan/document/plan.ts';
import { hasRole } from '../plan/document/step-traits.ts';
import { viewStands, type StandView } from '../plan/stands/selected.ts';
import { baselinesOf } from '../plan/stands/snapshots.ts';
import { marksOf, selectedVmids, type StandSelection } from '../plan/stands/selection.ts';
import { deployScope } from '../privileges/scopes.ts';
import { realmIn } from '../pve-values/userid.ts';
import type { PlanContext, RunContext } from './context.ts';
import { planToApply, preview, runStory, type Preview, type Request } from './planned-run.ts';
import { replicaVmids } from './replica-scope.ts';
import { runSteps } from './run.ts';
import { createMachineSecrets } from './secrets.ts';
import { assertKnown } from './stands.ts';

export interface RecloneWant {
  readonly selection: StandSelection;
  readonly lab: Lab;
  readonly outdated: boolean;
  readonly start: boolean;
  readonly discardSnapshots: boolean;
  readonly lockWaitSeconds: number;
  /** Of the command line that was given, for hints. */
  readonly words?: RecloneWords;
}

interface Looked {
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly stands: readonly StandView[];
}

/** What a deploy reads, live states, and what is under way. */
async function look({ selection, lab }: RecloneWant, context: PlanContext): Promise<Looked> {
  const have = await readInventory(context, {
    templates: lab.machines.map((machine) => machine.template),
    storages: lab.machines.flatMap(({ storage }) => storage ?? []),
    rights: true,
    claimed: (pools) => [...selectedVmids(selection, marksOf(pools)), ...replicaVmids(pools)],
    tasks: true,
  });
  const index = viewOf(have);
  assertKnown(selection, have, index);
  const isCloning = isAnyCloning(have);
  return { have, index, stands: viewStands(selection, index, isCloning) };
}

/** The users of the stands: of their accounts nothing is changed. */
function usersOf(stands: readonly StandView[]): User[] {
  return stands.map(({ user, pool }) => ({ userid: user, realm: realmIn(user), pool, groups: [] }));
}

function assertOnePool(stands: readonly StandView[], { name }: Lab): void {
  const seen = new Map<string, string>();
  for (const { user, pool } of stands) {
    const other = seen.get(user);
    if (other !== undefined) {
      throw new UsageError('SELECTION', `${user} has lab ${name} in pools ${other} and ${pool}`, {
        hint: 'give the users file (-u), which names the pool that is meant',
      });
    }
    seen.set(user, pool);
  }
}

async function requestOf(want: RecloneWant, context: PlanContext): Promise<Request> {
  const { lab, outdated, start, lockWaitSeconds, discardSnapshots } = want;
  const { have, index, stands } = await look(want, context);
  assertOnePool(stands, lab);
  const guests = stands.flatMap(({ machines }) =>
    machines.flatMap(({ isSelected, guest }) => (isSelected && guest ? [guest] : [])),
  );
  const users = usersOf(stands);
  const targets = recloneTargets({
    ...{ lab, have, stands, index, discardSnapshots, outdated },
    ...(want.words ? { words: want.words } : {}),
    snapshots: await readSnapshots(guests, context),
    baselines: baselinesOf(lab),
  });
  const reclone = { stands: targets, start, lockWaitSeconds };
  const options = { adopt: false, updateRunning: false, reclone };
  return {
    have,
    make: (): Plan => {
      const {
        version,
        steps,
        stands: planned,
        warnings,
        profile,
      } = planDeploy({ lab, users, have, options });
      const rights = profile === undefined ? {} : { profile };
      const plan = {
        version,
        command: 'reset',
        lab: lab.name,
        ...rights,
        steps,
        stands: planned,
        warnings,
      } as const;
      return tellAbsent(plan, { selection: want.selection, index });
    },
    scope: (locks) => ({ ...deployScope(lab, users, have, locks), command: 'reset', users: false }),
    takesLock: needsLock,
  };
}

function needsLock({ steps }: Plan): boolean {
  return steps.some((step) => hasRole(step, 'reserves'));
}

/** Reads and plans; changes nothing. `lacking`: what the caller may not do of it. */
export async function previewReclone(want: RecloneWant, context: PlanContext): Promise<Preview> {
  return preview(await requestOf(want, context), context);
}

/** Throws before the first write, never after. */
export function reclone(want: RecloneWant, context: RunContext): Promise<RunOutcome> {
  return runStory(
    {
      look: async () => planToApply(await requestOf(want, context), context),
      takesLock: ({ plan }) => needsLock(plan),
      apply: ({ steps }, lock) =>
        runSteps(steps, context, { secrets: createMachineSecrets(want.lab), ...(lock ? { lock } : {}) }),
    },
    context,
  );
}
