/** The steps that missing and present machines share: configure as the lab says, take the baseline snapshot. */
import type { Machine } from '../../config/types.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';
import { formatSnapshotMark } from '../../marks/snapshot.ts';
import { labTag, TAG, withVmMark } from '../../marks/vm.ts';
import { compareText } from '../../order.ts';
import { nicsBefore } from '../../config/lab/device-profiles.ts';
import { keepFixed, specOf } from '../stands/spec.ts';
import type { PresentVm } from '../stands/state.ts';
import { makeStep, type Step } from '../document/step.ts';
import { oursAt } from '../document/steps/place.ts';
import type { GuestAt } from '../../pve-values/guest-kinds.ts';
import type { Request, Draft } from './machine-draft.ts';
import { planNics } from './machine-nics.ts';
import { planOptions } from './machine-options.ts';

/** The template that a machine on this node descends from. */
export function originOn({ template, candidates }: ResolvedMachine, node: string): number {
  return (candidates.find((candidate) => candidate.node === node) ?? template).vmid;
}

export function configureStep(
  request: Request,
  resolved: ResolvedMachine,
  vm: GuestAt & {
    readonly present: PresentVm | undefined;
    readonly base?: number | undefined;
    readonly from?: string | undefined;
  },
  frame: { readonly reason: string; readonly dependsOn: readonly string[] },
): Step {
  const { machine } = resolved;
  const { userid, pool } = request.state.user;
  const wanted = specOf(request.lab, machine, originOn(resolved, vm.node));
  // What it was cloned from does not change by configuring it: the half that says so stays.
  const spec = vm.present?.spec === undefined ? wanted : keepFixed(vm.present.spec, wanted);
  const kept = nicsBefore(machine, vm.present?.nicShift ?? 0);
  const claimed = request.state.claim?.machines.find(({ vmid }) => vmid === vm.vmid);
  const former = request.state.open.get(machine.name)?.macs ?? claimed?.macs ?? [];
  const nics = planNics(
    { machine, vmid: vm.vmid, present: vm.present, kept: former, macs: request.macs },
    request.bridges,
  );
  return makeStep(
    'vm.configure',
    `${pool}/${machine.name}`,
    { user: userid, ...frame },
    {
      ...oursAt(vm, pool),
      // What else is in the notes is the student's, or was there before us.
      description: withVmMark(vm.present?.config.values['description'] ?? '', {
        lab: request.lab.name,
        user: userid,
        machine: machine.name,
        vmid: vm.vmid,
        ...(vm.base === undefined ? {} : { base: vm.base }),
        ...(vm.from === undefined ? {} : { from: vm.from }),
        spec,
      }),
      nics,
      ...(kept.length === 0 ? {} : { keptNics: kept }),
      options: planOptions(machine, request.have.version),
      tags: [...machine.tags, TAG, labTag(request.lab.name)].sort(compareText),
      remove: [],
      // A machine that was handed out can be removed by its student and made anew: no proof is left that it came from us.
      ...(machine.cloudInit?.password === undefined || vm.present?.isJoined === true
        ? {}
        : { secret: { machine: machine.name } }),
    },
  );
}

export function addSnapshot(request: Request, machine: Machine, vm: GuestAt, draft: Draft): void {
  if (machine.baselineSnapshot === undefined) return;
  const before = draft.lastStep.get(machine.name);
  const step = makeStep(
    'vm.snapshot',
    `${request.state.user.pool}/${machine.name}`,
    {
      user: request.state.user.userid,
      reason: `baseline "${machine.baselineSnapshot}" to return to`,
      dependsOn: before === undefined ? [] : [before],
    },
    {
      ...oursAt(vm, request.state.user.pool),
      snapshot: machine.baselineSnapshot,
      description: formatSnapshotMark({ lab: request.lab.name, vmid: vm.vmid, isBaseline: true }),
    },
  );
  draft.steps.push(step);
  draft.lastStep.set(machine.name, step.id);
}
