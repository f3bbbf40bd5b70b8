/** Starts the machines of a stand, in the order that the lab gives. */
import { frozenSince } from '../../marks/pool.ts';
import type { Machine } from '../../config/types.ts';
import { makeStep, type Step } from '../document/step.ts';
import { oursAt } from '../document/steps/place.ts';
import { ranksOf } from '../stands/start-order.ts';
import type { StandState } from '../stands/state.ts';
import type { StandContext } from './context.ts';
import type { StandVms } from './stand-vms.ts';

/** A start of one that is suspended lets it go on. */
const IS_OFF: ReadonlySet<string> = new Set(['stopped', 'suspended']);

/** What of the stand is planned before them. */
interface Before {
  readonly vms: StandVms;
  readonly acl: readonly Step[];
  readonly joins: readonly Step[];
}

/**
 * Starts in `start_order`: each rank waits until the former has ended, successfully or not. Nothing of a frozen stand, whose
 * state is kept for somebody to look at.
 */
export function planStarts(
  state: StandState,
  { vms, acl, joins }: Before,
  { lab, reclone }: Pick<StandContext, 'lab' | 'reclone'>,
): Step[] {
  if (frozenSince(state.mark) !== undefined) return [];
  const joining = new Set(vms.joining.map(({ machine }) => machine));
  const isWanted = ({ name, start }: Machine): boolean =>
    reclone ? joining.has(name) && (start || reclone.start) : start;
  const due = lab.machines
    .filter((machine) => isWanted(machine) && !vms.templates.has(machine.name))
    .flatMap((machine) => vms.vms.filter((vm) => vm.name === machine.name).map((vm) => ({ machine, vm })))
    .filter(({ vm }) => vm.state === 'new' || IS_OFF.has(vm.power));
  let former: string[] = [];
  return ranksOf(due, ({ machine }) => machine.startOrder).flatMap((members) => {
    const steps = members.map(({ machine, vm }) => {
      const last = vms.lastStep.get(machine.name);
      return makeStep(
        'vm.start',
        `${state.user.pool}/${machine.name}`,
        {
          user: state.user.userid,
          reason: 'the lab wants it running',
          dependsOn: [
            ...(last === undefined ? [] : [last]),
            ...(joining.has(machine.name) ? joins.map((join) => join.id) : []),
          ],
          after: [...acl.map((grant) => grant.id), ...former],
        },
        oursAt(vm, state.user.pool),
      );
    });
    former = steps.map(({ id }) => id);
    return steps;
  });
}
