/** What a machine that is there still needs, and what of it is only told: holds, drift, changes that wait. */
import type { Machine } from '../../config/types.ts';
import { fixedWishes } from '../stands/made-as.ts';
import { adoptedBecause } from '../stands/adopt.ts';
import { holdHint, holdOn, sayHold, type Hold } from '../cluster/locks.ts';
import { isMadeTemplate, madeTemplateRefusal } from './made-templates.ts';
import { cloneAnew } from '../stands/made-template.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';
import { frozenSince } from '../../marks/pool.ts';
import { parseVmMark, withVmMark } from '../../marks/vm.ts';
import { presentNics } from '../../pve-values/nics.ts';
import { nicIndex } from '../../config/lab/device-profiles.ts';
import { driftNote, driftOf, isMadeByHand, notesLost } from '../stands/drift.ts';
import { adoptedSpec, compareSpecs, isAdopted, specOf } from '../stands/spec.ts';
import type { PresentVm } from '../stands/state.ts';
import type { Refusal } from '../document/plan.ts';
import { makeStep } from '../document/step.ts';
import { oursAt } from '../document/steps/place.ts';
import { type Request, type Draft, planned } from './machine-draft.ts';
import { waitingForRestart } from './machine-options.ts';
import { originOn, configureStep, addSnapshot } from './machine-steps.ts';

function lastStepOf(machine: Machine, draft: Draft): string[] {
  const last = draft.lastStep.get(machine.name);
  return last === undefined ? [] : [last];
}

function whyConfigure({ spec, isFinished }: PresentVm): string {
  if (!isFinished) return 'unfinished';
  return isAdopted(spec) ? 'adopted: set as the lab says' : 'the lab was changed';
}

/** The spec in the mark says that the VM was not configured by us, so that a later run does it or reports it. */
function addMark(request: Request, machine: Machine, vm: PresentVm, draft: Draft): void {
  const { lab, state, claimStep, bridgeMarks } = request;
  const { userid, pool } = state.user;
  const isClaimed = state.claim?.vmids.includes(vm.vmid) === true;
  const description = vm.config.values['description'] ?? '';
  const mark = {
    lab: lab.name,
    user: userid,
    machine: machine.name,
    vmid: vm.vmid,
    spec: adoptedSpec(vm.nicShift),
  };
  const step = makeStep(
    'vm.mark',
    `${pool}/${machine.name}`,
    {
      user: userid,
      reason: adoptedBecause(pool, machine.name),
      dependsOn: [...(isClaimed ? [] : [claimStep]), ...bridgeMarks],
    },
    { ...oursAt(vm, pool), description, newDescription: withVmMark(description, mark) },
  );
  draft.steps.push(step);
  draft.lastStep.set(machine.name, step.id);
}

/** Hibernated it takes no change, and goes on as it was when it is started: told of all that stay so at once (hibernated.ts). */
function holdNotes(
  { state }: Request,
  machine: Machine,
  vm: PresentVm,
  { hold, isDue }: { readonly hold: Hold; readonly isDue: boolean },
): string[] {
  const held = `VM ${vm.vmid} (${machine.name}) on ${vm.node} ${sayHold(hold)}`;
  if (hold.kind !== 'hibernated') return [`${held}: ${holdHint(vm, hold)}`];
  const isStarted = machine.start && frozenSince(state.mark) === undefined;
  if (!isStarted && !isDue) return [];
  const way = isStarted ? ': it goes on, as the lab wants it running' : '';
  return [`${held}${way}${isDue ? "; the lab's changes wait until it is stopped" : ''}`];
}

/** What is given to machines when they are made, and changes in none that is there. */
function onlyForNew(machine: Machine, vm: PresentVm): string[] {
  if (vm.spec === undefined) return [];
  const present = new Map(presentNics(vm.config.values).map(({ index, mac }) => [index, mac]));
  const isKept = machine.networks.some(({ mac }, position) => {
    const now = present.get(nicIndex(machine, position, vm.nicShift));
    return mac !== undefined && now !== undefined && now !== mac;
  });
  return isKept
    ? [
        `machine ${machine.name}: \`mac\` acts on machines that are made from now on; those that are there keep their addresses`,
      ]
    : [];
}

/** Where the lab wants nothing of it but to be there, nothing is left undone. */
function addTemplate({ state }: Request, machine: Machine, vm: PresentVm, draft: Draft): void {
  const told = madeTemplateRefusal(state.user.userid, machine, vm);
  draft.templates.add(machine.name);
  draft.vms.push(planned(vm, machine, 'complete'));
  if (machine.start) draft.left ??= told;
  else draft.notes.push(`${told.message} (${told.hint ?? ''})`);
}

function addDrift(
  request: Request,
  { machine, template }: ResolvedMachine,
  vm: PresentVm,
  { draft, isOfOther }: { readonly draft: Draft; readonly isOfOther: boolean },
): void {
  const { lab, state, bridges, index } = request;
  const of = { user: state.user.userid, lab: lab.name };
  const origin = isOfOther ? undefined : template;
  const drift = driftOf({ machine, vm, bridges, template: origin, index, ...of });
  // Of another machine under this number all else would be a symptom.
  const isOther = !vm.marked && isMadeByHand(vm.config, origin);
  const note = isOther ? [] : driftNote(machine, vm.vmid, drift);
  // What reaches another stand is told first.
  if (drift[0]?.kind === 'foreign-bridge') draft.notes.unshift(...note);
  else draft.notes.push(...note);
  const all = vm.marked ? drift : [...drift, notesLost(vm.config, origin)];
  draft.vms.push({ ...planned(vm, machine, 'complete'), ...(all.length > 0 ? { drift: all } : {}) });
}

/**
 * Before its number is cloned anew a machine was handed out, and got a seal like the clone's. Where a run was cut there, nothing
 * tells the former one, which its student may have made, from the clone: the lab's password goes to neither.
 */
function remadeRefusal(request: Request, machine: Machine, vm: PresentVm): Refusal | undefined {
  const { lab, state } = request;
  const claimed = state.claim?.machines.find(({ vmid }) => vmid === vm.vmid);
  const isDoubtful = claimed?.macs !== undefined && !vm.isJoined && !vm.isFinished;
  if (!isDoubtful || machine.cloudInit?.password === undefined) return undefined;
  return {
    code: 'RECLONE_UNFINISHED',
    message: `VM ${vm.vmid} (${machine.name}) on ${vm.node} was being cloned anew when a run was cut short, and does not show whether it is the new one`,
    hint: `${cloneAnew(state.user.userid, machine.name)} makes it anew (lab.yml: the file of lab ${lab.name})`,
  };
}

function unmarkedNote(
  { state }: Request,
  { machine: { name }, template }: ResolvedMachine,
  { vmid, config }: PresentVm,
): string {
  const did = isMadeByHand(config, template)
    ? `removed VM ${vmid} (${name}) and made another by hand, without disks`
    : `emptied or rewrote the notes of VM ${vmid} (${name}), in which its settings were recorded, or removed it and made another by hand`;
  return `somebody ${did}: it stays as it is, and changes of the lab do not reach it; ${cloneAnew(state.user.userid, name)} makes it anew as the lab says`;
}

function addClaim({ state }: Request, machine: Machine, vm: PresentVm, draft: Draft): void {
  if (vm.isJoined) {
    draft.claimed.push({ machine: machine.name, vmid: vm.vmid, state: 'made', seals: [] });
    return;
  }
  const { seals = [], macs } = state.claim?.machines.find(({ vmid }) => vmid === vm.vmid) ?? {};
  draft.claimed.push({
    ...{ machine: machine.name, vmid: vm.vmid, state: 'reserved', seals },
    ...(macs ? { macs } : {}),
  });
  draft.joining.push({ machine: machine.name, vmid: vm.vmid });
}

function addConfigure(request: Request, resolved: ResolvedMachine, vm: PresentVm, draft: Draft): void {
  const { machine } = resolved;
  const mark = parseVmMark(vm.config.values['description'] ?? '');
  const configure = configureStep(
    request,
    resolved,
    { vmid: vm.vmid, node: vm.node, present: vm, base: mark?.base, from: mark?.from },
    { reason: whyConfigure(vm), dependsOn: lastStepOf(machine, draft) },
  );
  draft.steps.push(configure);
  draft.warnings.push(...onlyForNew(machine, vm));
  draft.lastStep.set(machine.name, configure.id);
  const waiting = vm.power === 'stopped' ? [] : waitingForRestart(machine, vm, request.have.version);
  if (waiting.length > 0) {
    draft.notes.push(
      `VM ${vm.vmid} (${machine.name}) is running: ${waiting.join(', ')} change only when it is stopped and started`,
    );
  }
  // What was finished stays so; only its settings change.
  draft.vms.push(planned(vm, machine, vm.isFinished ? 'complete' : 'unfinished'));
}

export function addPresent(request: Request, resolved: ResolvedMachine, vm: PresentVm, draft: Draft): void {
  const { machine } = resolved;
  const remade = remadeRefusal(request, machine, vm);
  addClaim(request, machine, vm, draft);
  if (remade) {
    draft.joining.pop();
    draft.vms.push(planned(vm, machine, 'unfinished'));
    draft.left ??= remade;
    return;
  }
  if (isMadeTemplate(vm)) {
    addTemplate(request, machine, vm, draft);
    return;
  }
  if (vm.takenOver) addMark(request, machine, vm, draft);
  else if (vm.isFinished && vm.spec === undefined) {
    if (!vm.marked) {
      draft.notes.push(unmarkedNote(request, resolved, vm));
      addDrift(request, resolved, vm, { draft, isOfOther: false });
    } else draft.vms.push(planned(vm, machine, 'complete'));
    return;
  }
  const differs =
    vm.isFinished && vm.spec !== undefined
      ? compareSpecs(vm.spec, specOf(request.lab, machine, originOn(resolved, vm.node)))
      : undefined;
  const fixed = differs ? fixedWishes(request.lab, resolved, vm) : [];
  draft.fixed.push(
    ...fixed.map((wish) => ({ user: request.state.user.userid, machine: machine.name, wish })),
  );
  const hold = vm.lock === undefined ? undefined : holdOn(vm, vm.lock, request.index.tasks);
  const isDue = differs?.inPlace === true;
  if (hold) draft.notes.push(...holdNotes(request, machine, vm, { hold, isDue }));
  if (isDue && hold?.kind === 'hibernated') {
    draft.vms.push(planned(vm, machine, 'pending-change'));
    return;
  }
  if (isDue && vm.power !== 'stopped' && !request.updateRunning) {
    draft.notes.push(
      `VM ${vm.vmid} (${machine.name}) is running; the lab's changes wait until it is stopped (or --update-running)`,
    );
    draft.vms.push(planned(vm, machine, 'pending-change'));
    return;
  }
  if (differs?.inPlace === false) {
    addDrift(request, resolved, vm, { draft, isOfOther: fixed.includes('template or full_clone') });
    addLateSnapshot(request, machine, vm, draft);
    return;
  }
  addConfigure(request, resolved, vm, draft);
  if (!differs) addSnapshot(request, machine, vm, draft);
}

/**
 * A configured VM without any snapshot: the run stopped between the two, unless the student, who has access once the
 * stand is finished, deleted it.
 */
function addLateSnapshot(request: Request, machine: Machine, vm: PresentVm, draft: Draft): void {
  if (machine.baselineSnapshot === undefined || vm.config.values['parent'] !== undefined) return;
  const { userid, pool } = request.state.user;
  if (request.index.acls.has(`/pool/${pool} ${userid}`)) {
    draft.notes.push(
      `VM ${vm.vmid} (${machine.name}) has no snapshot at all: its student deleted "${machine.baselineSnapshot}", or the lab asked for it later; there is nothing to return to, and a new one would not show the beginning (to have both: ${cloneAnew(request.state.user.userid, machine.name)})`,
    );
  } else {
    addSnapshot(request, machine, vm, draft);
  }
}
