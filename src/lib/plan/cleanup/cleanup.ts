/** Plans a cleanup: want nothing (of what was selected), have the inventory. The mirror of deploy, and as pure. */
import type { Inventory } from '../../inventory/types.ts';
import { hiddenNotes } from '../network/view.ts';
import { planCleanupBridges, type BridgeRemoval } from './bridges.ts';
import type { CleanupContext, CleanupOptions, CleanupSelection } from './context.ts';
import { selectStands, type SelectedStand } from './selection.ts';
import { planStandRemoval, type StandRemoval } from './stand.ts';
import { planUserRemovals, type PlannedRemoval } from './users.ts';
import { assertSound } from '../document/graph.ts';
import { viewOf, type ClusterView } from '../cluster/view.ts';
import { compareText } from '../../order.ts';
import { refuse } from '../document/refuse.ts';
import { shellCommand } from '../../shell.ts';
import { machinesOfOtherLab } from '../stands/other-lab.ts';
import { emptyParents } from '../stands/parent-pools.ts';
import { selectedPools } from '../stands/selection.ts';
import { unnamedInCleanup } from '../stands/unnamed.ts';
import { unneededReplicas } from '../templates/prune.ts';
import type { Plan, PlannedStand } from '../document/plan.ts';
import type { Step } from '../document/step.ts';
import { gapTexts, labOf } from '../document/text.ts';

export interface CleanupInput {
  readonly selection: CleanupSelection;
  readonly have: Inventory;
  readonly options: CleanupOptions;
}

function toPlannedStand(stand: SelectedStand, removal: StandRemoval, bridges: BridgeRemoval): PlannedStand {
  const own = bridges.planned.get(stand.user) ?? [];
  const refused = removal.refused ?? bridges.refused.get(stand.user);
  const [node] = [...removal.vms.map((vm) => vm.node), ...own.map((bridge) => bridge.node)];
  return {
    user: stand.user,
    pool: stand.pool,
    ...(node === undefined ? {} : { node }),
    vms: removal.vms,
    bridges: own,
    notes: [...removal.notes, ...(bridges.notes.get(stand.user) ?? [])],
    ...(refused ? { refused } : {}),
  };
}

/** Claims are released only when everything they tell of is gone. */
function afterBridges(steps: readonly Step[], bridges: BridgeRemoval): Step[] {
  const ready = steps.filter(({ user }) => user === undefined || !bridges.bound.has(user));
  return ready.map((step) => {
    const own = bridges.steps.filter((edit) => edit.user === step.user).map((edit) => edit.id);
    return own.length > 0 ? { ...step, dependsOn: [...step.dependsOn, ...own].sort(compareText) } : step;
  });
}

/**
 * All access goes before the first VM does. A removal takes the lock of user.cfg inside its task and leaves an
 * unremovable rest if it does not get it, so no other write of ours may compete for it. These writes run one at a time
 * and in plan order: who waits for the last one waits for all.
 */
function accessFirst(steps: readonly Step[]): Step[] {
  const revokes = steps.filter((step) => step.kind === 'acl.revoke');
  const last = revokes.at(-1);
  const rest = steps.filter((step) => step.kind !== 'acl.revoke');
  if (!last) return rest;
  return [
    ...revokes,
    ...rest.map((step) => ({ ...step, after: [...new Set([...step.after, last.id])].sort(compareText) })),
  ];
}

/** A VMID that two pools claim (a comment can be edited by hand) goes once. */
function planRemovals(stands: readonly SelectedStand[], context: CleanupContext): PlannedRemoval[] {
  const going = new Set<number>();
  return stands.map((stand) => {
    const removal = planStandRemoval(stand, context, going);
    for (const vmid of removal.removed) going.add(vmid);
    return { stand, removal };
  });
}

/** Bridges of ours that the caller may not see stay without a word. */
function shortListWarnings(have: Inventory): string[] {
  return hiddenNotes({ ...have, hidden: { bridges: have.hidden?.bridges === true, guests: false } });
}

function unnamedWarnings(selection: CleanupSelection, { marks }: ClusterView): string[] {
  if (selection.by !== 'stands' || !selection.isWholeClass || selection.lab === undefined) return [];
  return unnamedInCleanup(selection.lab, selection.users ?? [], marks);
}

/** The name of a lab may be that of its file, and so that of somebody else's lab. */
function assertSameLab({ selection, index }: CleanupContext): void {
  if (selection.by !== 'stands') return;
  const { lab: name, labMachines } = selection;
  if (name === undefined || labMachines === undefined) return;
  const machines = labMachines.map((machine) => machine.name);
  const pools = selectedPools(selection, index.marks).map(({ pool }) => pool);
  const others = machinesOfOtherLab({ name, machines }, index, new Set(pools));
  if (others.length === 0) return;
  const message = `the stands of lab "${name}" that these users have are of another lab: they have other machines (${others.join(', ')})`;
  const hint = `give the name of the lab that is meant with --lab-name NAME; all stands of the other one go with: ${shellCommand('deploy-stand', 'cleanup', '--lab', name)}`;
  refuse([{ code: 'OTHER_LAB', message, hint }]);
}

/** Users with a bridge of ours are looked at for orphans: of those who have none there is nothing to tell. */
function isTold({ by }: CleanupSelection, stand: PlannedStand, steps: readonly Step[]): boolean {
  if (by !== 'orphans' || stand.refused || stand.left || [...stand.notes, ...stand.vms].length > 0)
    return true;
  return steps.some(({ user }) => user === stand.user);
}

/** An empty plan when nothing is selected that exists. Never plans a step on what is not ours. */
export function planCleanup({ selection, have, options: asked }: CleanupInput): Plan {
  const index = viewOf(have);
  const options = {
    ...asked,
    // What has no mark is known by the names in the files of its class.
    adopt: asked.adopt && selection.by === 'stands' && selection.labMachines !== undefined,
    // An orphan is old enough, and how old a machine of the class is nobody can tell.
    includeMembers: asked.includeMembers && selection.by !== 'orphans',
  };
  const context: CleanupContext = { have, index, selection, options };
  assertSameLab(context);
  const planned = planRemovals(selectStands(context), context);
  const bridges = planCleanupBridges(planned, context);
  const pools = planned.flatMap(({ removal }) => removal.poolSteps);
  const released = afterBridges([...pools, ...planUserRemovals(planned, context)], bridges);
  const parents = emptyParents(
    released.filter((step) => pools.some(({ id }) => id === step.id)),
    index,
  );
  const steps: Step[] = [
    ...accessFirst(planned.flatMap(({ removal }) => removal.vmSteps)),
    ...bridges.steps,
    ...bridges.reloads,
    ...released,
    ...parents.removals,
  ];
  assertSound(steps);
  return {
    version: 2,
    command: 'cleanup',
    lab: labOf(planned.flatMap(({ stand }) => stand.claims)),
    steps,
    stands: planned
      .map(({ stand, removal }) => toPlannedStand(stand, removal, bridges))
      .filter((stand) => isTold(selection, stand, steps)),
    warnings: [
      ...gapTexts(have),
      ...shortListWarnings(have),
      ...parents.warnings,
      ...unnamedWarnings(selection, index),
      ...(selection.by === 'orphans' ? unneededReplicas(have, index, options.minAgeSeconds) : []),
    ],
  };
}
