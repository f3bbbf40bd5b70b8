/** The VM steps of one stand, machine by machine: those that are missing, those that are there. */
import type { ClaimedMachine } from '../../marks/pool.ts';
import type { Step } from '../document/step.ts';
import type { PlannedVm, Refusal } from '../document/plan.ts';
import { type Request, type Draft, planned } from './machine-draft.ts';
import type { ToldFixed } from './fixed-wishes.ts';
import { addMissing } from './missing-machine.ts';
import { addPresent } from './present-machine.ts';

export interface StandVms {
  readonly vms: readonly PlannedVm[];
  /** In machine order: clone, configure, snapshot. */
  readonly steps: readonly Step[];
  /** Machine → last step that makes it (configure or snapshot), where there is one. */
  readonly lastStep: ReadonlyMap<string, string>;
  /** What the claim must say of the lab's machines. */
  readonly claimed: readonly ClaimedMachine[];
  /** Machines that join the pool once they are made. */
  readonly joining: readonly { readonly machine: string; readonly vmid: number }[];
  /** Ids nobody has claimed before this plan. */
  readonly fresh: readonly number[];
  /** Before the claim is written: what prepares machines that are made anew. */
  readonly beforeClaim: readonly Step[];
  /** Members that leave the pool with the claim. */
  readonly leaving: readonly number[];
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  /** Machines that were made templates. */
  readonly templates: ReadonlySet<string>;
  /** What the lab says otherwise of machines that are there, and no configuration changes. */
  readonly fixed: readonly ToldFixed[];
  /** What is left undone, while the rest is done. */
  readonly left?: Refusal;
  readonly refused?: Refusal;
}

export function planStandVms(request: Request): StandVms {
  const draft: Draft = {
    vms: [],
    steps: [],
    lastStep: new Map(),
    claimed: [],
    joining: [],
    fresh: [],
    beforeClaim: [],
    leaving: [],
    notes: [],
    warnings: [],
    templates: new Set(),
    fixed: [],
  };
  const open = [...request.state.openUnnamed];
  let refused: Refusal | undefined;
  for (const resolved of request.machines) {
    const vm = request.state.present.get(resolved.machine.name);
    const isUntouched = request.only?.has(resolved.machine.name) === false || (request.only && vm?.isJoined);
    if (isUntouched) {
      if (vm) draft.vms.push(planned(vm, resolved.machine, 'complete'));
      continue;
    }
    if (vm) addPresent(request, resolved, vm, draft);
    else if (request.state.leftPool.has(resolved.machine.name)) continue;
    else refused ??= addMissing(request, resolved, draft, open);
  }
  return { ...draft, ...(refused ? { refused } : {}) };
}
