/** The VM steps of one stand: clone what is missing, configure what is unfinished, report what was changed. */
import { machinePower } from '../cluster/machine-power.ts';
import type { Lab, Machine, Network } from '../../config/types.ts';
import { adoptedBecause } from '../stands/adopt.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { VmidAllocator } from '../cluster/free-vmids.ts';
import { holdHint, holdOn, sayHold, type Hold } from '../cluster/locks.ts';
import { isMadeTemplate, madeTemplateRefusal } from './made-templates.ts';
import { deleteFormer, madeFrom, stepsBeforeClaim } from './reclone.ts';
import type { ClusterView } from '../cluster/view.ts';
import { takeRouterMac } from '../stands/macs.ts';
import { cloneSource } from '../templates/clone-source.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';
import type { ClaimedMachine, KeptMac } from '../../marks/pool.ts';
import { withNewSeal } from '../../marks/seal.ts';
import { formatSnapshotMark } from '../../marks/snapshot.ts';
import { formatVmMark, parseVmMark, labTag, TAG, withVmMark } from '../../marks/vm.ts';
import { presentNics, type Nic } from '../../pve-values/nics.ts';
import { compareText } from '../../order.ts';
import { isAtLeast } from '../../pve-values/version.ts';
import { pinnedMachine, type Pins } from '../cluster/pins.ts';
import type { ReplicaPlanner } from '../templates/replica-steps.ts';
import { nicFirewall, nicIndex, nicModel, nicsBefore } from '../stands/device-profiles.ts';
import { driftNote, driftOf } from '../stands/drift.ts';
import { adoptedSpec, compareSpecs, isAdopted, keepFixed, specOf } from '../stands/spec.ts';
import type { PresentVm, StandState } from '../stands/state.ts';
import { makeStep, type Step } from '../document/step.ts';
import type { PlannedVm, Refusal } from '../document/plan.ts';

interface Request {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly state: StandState;
  readonly machines: readonly ResolvedMachine[];
  /** Where each machine is, or goes. */
  readonly nodeOf: (machine: ResolvedMachine) => string;
  /** Alias → bridge. */
  readonly bridges: ReadonlyMap<string, string>;
  readonly index: ClusterView;
  readonly vmids: VmidAllocator;
  readonly pins: Pins;
  readonly replicas: ReplicaPlanner;
  /** MACs in use; grows. */
  readonly macs: Set<string>;
  readonly updateRunning: boolean;
  /** Step that writes the claim, if one is planned. */
  readonly claimStep: string;
  /** Steps that write marks onto bridges: before those of the VMs by which they are found. */
  readonly bridgeMarks: readonly string[];
  /** Are clones made in the pool? */
  readonly joinsAtOnce: boolean;
  /** Only these machines of the stand are worked on; those of them that are `remade` go first. Absent: all. */
  readonly only?: ReadonlySet<string>;
  readonly lockWaitSeconds: number;
}

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
  /** What is left undone, while the rest is done. */
  readonly left?: Refusal;
  readonly refused?: Refusal;
}

function toNic(
  machine: Machine,
  network: Network,
  { index, bridge, mac }: { index: number; bridge: string; mac: string | undefined },
): Nic {
  return {
    index,
    model: nicModel(machine, network),
    bridge,
    ...(mac === undefined ? {} : { mac }),
    ...(network.tag === undefined ? {} : { tag: network.tag }),
    ...(network.trunks === undefined ? {} : { trunks: network.trunks }),
    ...(nicFirewall(machine, network) ? { firewall: true } : {}),
    ...(network.linkDown === true ? { linkDown: true } : {}),
    ...(network.mtu === undefined ? {} : { mtu: network.mtu }),
  };
}

interface MacChoice {
  readonly machine: Machine;
  readonly vmid: number;
  /** Set for configured VMs: their MACs never change. */
  readonly present: PresentVm | undefined;
  /** Of one that is made anew: what its cards had. */
  readonly kept: readonly KeptMac[];
  readonly macs: Set<string>;
}

/** Undefined: the handler keeps the MAC that the clone has (linux). */
function chooseMac(choice: MacChoice, index: number, wanted: string | undefined): string | undefined {
  const kept =
    choice.present?.spec === undefined
      ? undefined
      : presentNics(choice.present.config.values).find((nic) => nic.index === index)?.mac;
  if (kept !== undefined && kept !== '') return kept;
  const former = choice.kept.find((card) => card.index === index);
  if (former) return former.mac;
  if (wanted !== undefined) return wanted;
  return choice.machine.deviceType === 'ecorouter'
    ? takeRouterMac(choice.vmid, index, choice.macs)
    : undefined;
}

function planNics(choice: MacChoice, bridges: ReadonlyMap<string, string>): Nic[] {
  const { machine } = choice;
  const nics: Nic[] = [];
  if (machine.deviceType === 'ecorouter') {
    const mac = chooseMac(choice, 0, undefined);
    nics.push({
      index: 0,
      model: 'vmxnet3',
      bridge: 'vmbr0',
      ...(mac === undefined ? {} : { mac }),
      linkDown: true,
    });
  }
  machine.networks.forEach((network, position) => {
    const { target } = network;
    const bridge = target.kind === 'real' ? target.bridge : (bridges.get(target.alias) ?? target.alias);
    const index = nicIndex(machine, position, choice.present?.nicShift ?? 0);
    nics.push(toNic(machine, network, { index, bridge, mac: chooseMac(choice, index, network.mac) }));
  });
  return nics;
}

/** They are about the VM, not about the machine in it: they act at once. */
const HOT_OPTIONS: ReadonlySet<string> = new Set(['onboot', 'protection']);

/** `onboot` and `protection` are inherited from the template; a class of VMs starting at boot would be a storm. */
function planOptions(machine: Machine, version: string): Record<string, string> {
  const options: Record<string, string> = { onboot: '0', protection: '0' };
  if (machine.cores !== undefined) options['cores'] = String(machine.cores);
  if (machine.memory !== undefined) options['memory'] = String(machine.memory);
  const cloudInit = machine.cloudInit;
  if (!cloudInit) return options;
  if (cloudInit.user !== undefined) options['ciuser'] = cloudInit.user;
  if (cloudInit.nameserver !== undefined) options['nameserver'] = cloudInit.nameserver;
  if (cloudInit.searchdomain !== undefined) options['searchdomain'] = cloudInit.searchdomain;
  if (cloudInit.upgrade !== undefined && isAtLeast(version, 8))
    options['ciupgrade'] = cloudInit.upgrade ? '1' : '0';
  // PVE wants the keys URL-encoded before the form encodes them again (qemu-server, `urlencoded` format).
  if (cloudInit.sshKeys) options['sshkeys'] = encodeURIComponent(cloudInit.sshKeys.join('\n'));
  for (const [index, value] of Object.entries(cloudInit.ipConfig ?? {})) options[`ipconfig${index}`] = value;
  return options;
}

interface Draft {
  readonly vms: PlannedVm[];
  readonly steps: Step[];
  readonly lastStep: Map<string, string>;
  readonly claimed: ClaimedMachine[];
  readonly joining: { machine: string; vmid: number }[];
  readonly fresh: number[];
  readonly beforeClaim: Step[];
  readonly leaving: number[];
  readonly notes: string[];
  readonly warnings: string[];
  readonly templates: Set<string>;
  left?: Refusal;
}

function configureStep(
  request: Request,
  resolved: ResolvedMachine,
  vm: {
    readonly vmid: number;
    readonly node: string;
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
      node: vm.node,
      vmid: vm.vmid,
      pool,
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

function addSnapshot(
  request: Request,
  machine: Machine,
  vm: { readonly node: string; readonly vmid: number },
  draft: Draft,
): void {
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
      node: vm.node,
      vmid: vm.vmid,
      pool: request.state.user.pool,
      snapshot: machine.baselineSnapshot,
      description: formatSnapshotMark({ lab: request.lab.name, vmid: vm.vmid, isBaseline: true }),
    },
  );
  draft.steps.push(step);
  draft.lastStep.set(machine.name, step.id);
}

function whyClone(
  vmid: number,
  { isReused, isInFlight, wasMade }: { isReused: boolean; isInFlight: boolean; wasMade: boolean },
): string {
  if (isInFlight) return `a former run has begun to clone it as VM ${vmid}`;
  if (wasMade) return 'it was made before and is gone: somebody removed it';
  return isReused ? `unfinished: VMID ${vmid} is claimed, the VM is not complete` : 'missing';
}

/** An id that was claimed and never used goes before a free one. */
function takeOpen(open: number[], wish: number | undefined): number | undefined {
  const at = wish === undefined ? -1 : open.indexOf(wish);
  return at < 0 ? open.shift() : open.splice(at, 1)[0];
}

function addMissing(
  request: Request,
  resolved: ResolvedMachine,
  draft: Draft,
  open: number[],
): Refusal | undefined {
  const { machine } = resolved;
  const { userid, pool } = request.state.user;
  const node = request.nodeOf(resolved);
  const source = cloneSource(resolved, node, request);
  if ('code' in source) return source;
  draft.warnings.push(...source.warnings);
  const former = request.state.open.get(machine.name);
  const wish = request.pins.vmids.get(pinnedMachine(userid, machine.name));
  const reused = former?.vmid ?? takeOpen(open, wish);
  const vmid = reused ?? request.vmids.take(wish);
  if (vmid === undefined) {
    const { first, last } = request.lab.vmidRange;
    return {
      code: 'NO_VMID',
      message: `no VMID is left in ${first}–${last} for machine ${machine.name} of ${userid}`,
      hint: 'widen `vmid_range` in the lab file',
    };
  }
  if (reused === undefined) draft.fresh.push(vmid);
  const isInFlight = former?.isInFlight === true;
  draft.claimed.push({
    machine: machine.name,
    vmid,
    state: 'reserved',
    seals: isInFlight ? former.seals : withNewSeal(former?.seals),
    ...(former?.macs && former.macs.length > 0 ? { macs: former.macs } : {}),
  });
  draft.joining.push({ machine: machine.name, vmid });
  const removal = removeFormer(request, machine, draft);
  const { base } = source;
  const from = madeFrom(source.origin.digest);
  const mark = { lab: request.lab.name, user: userid, machine: machine.name, vmid, from };
  const clone = makeStep(
    'vm.clone',
    `${pool}/${machine.name}`,
    {
      user: userid,
      reason:
        removal.length > 0
          ? 'anew'
          : whyClone(vmid, {
              isReused: reused !== undefined,
              isInFlight,
              wasMade: former?.wasMade === true && former.vmid === vmid,
            }),
      dependsOn: [...source.dependsOn, ...removal.map(({ id }) => id)],
    },
    {
      node: source.node,
      target: node,
      templateVmid: source.vmid,
      vmid,
      name: machine.name,
      description: formatVmMark(base === undefined ? mark : { ...mark, base }),
      full: machine.fullClone,
      ...(machine.storage === undefined ? {} : { storage: machine.storage }),
      pool,
      ...(request.joinsAtOnce ? { joinsAtOnce: true } : {}),
      ...(isInFlight ? { isUnderWay: true } : {}),
      locks: source.locks,
    },
  );
  const configure = configureStep(
    request,
    resolved,
    { vmid, node, present: undefined, base, from },
    { reason: 'new', dependsOn: [clone.id] },
  );
  draft.steps.push(...removal, clone, configure);
  draft.lastStep.set(machine.name, configure.id);
  const remade = request.state.remade?.get(machine.name);
  draft.vms.push(
    remade
      ? planned(remade, machine, 'new')
      : { vmid, name: machine.name, node, state: 'new', power: 'stopped' },
  );
  addSnapshot(request, machine, { node, vmid }, draft);
  return undefined;
}

/** Of a machine that is made anew; none of any other. */
function removeFormer(request: Request, machine: Machine, draft: Draft): Step[] {
  const { lab, state, lockWaitSeconds, joinsAtOnce } = request;
  const vm = state.remade?.get(machine.name);
  if (!vm) return [];
  const removal = { lab, machine, vm, state, lockWaitSeconds };
  draft.beforeClaim.push(...stepsBeforeClaim(removal));
  // Where clones are made in their pool, a member with its seal is as good as one outside.
  if (vm.isJoined && !joinsAtOnce) draft.leaving.push(vm.vmid);
  return [deleteFormer(removal)];
}

function planned(vm: PresentVm, machine: Machine, state: PlannedVm['state']): PlannedVm {
  const power = vm.lock === undefined ? vm.power : machinePower({ status: vm.power, lock: vm.lock });
  return { vmid: vm.vmid, name: machine.name, node: vm.node, state, power };
}

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
    { node: vm.node, vmid: vm.vmid, pool, description, newDescription: withVmMark(description, mark) },
  );
  draft.steps.push(step);
  draft.lastStep.set(machine.name, step.id);
}

function holdNote(vm: PresentVm, machine: Machine, hold: Hold): string {
  return `VM ${vm.vmid} (${machine.name}) on ${vm.node} ${sayHold(hold)}: ${holdHint(vm, hold)}`;
}

/** Of several templates of one name or tag, it does not matter which one it was cloned from. */
function differences(lab: Lab, resolved: ResolvedMachine, vm: PresentVm, spec: string) {
  const { machine, candidates } = resolved;
  const compared = compareSpecs(spec, specOf(lab, machine, originOn(resolved, vm.node)));
  const isOne = candidates.some(({ vmid }) => !compareSpecs(spec, specOf(lab, machine, vmid)).fixed);
  return { ...compared, fixed: !isOne };
}

/** The template that a machine on this node descends from. */
function originOn({ template, candidates }: ResolvedMachine, node: string): number {
  return (candidates.find((candidate) => candidate.node === node) ?? template).vmid;
}

/** Options of a running VM of which PVE keeps the change until it is started anew, and cloud-init, which guests read then. */
function waitingForRestart(machine: Machine, vm: PresentVm, version: string): string[] {
  const now = vm.config.values;
  const changed = Object.entries(planOptions(machine, version)).filter(([key, value]) => now[key] !== value);
  const words = changed.flatMap(([key]) =>
    key === 'cores' || key === 'memory' ? [key] : HOT_OPTIONS.has(key) ? [] : ['cloud-init settings'],
  );
  return [...new Set(words)];
}

/** What is given to machines when they are made, and changes in none that is there. */
function onlyForNew(machine: Machine, vm: PresentVm): string[] {
  if (vm.spec === undefined) return [];
  const present = new Map(presentNics(vm.config.values).map(({ index, mac }) => [index, mac]));
  const isKept = machine.networks.some(({ mac }, position) => {
    const now = present.get(nicIndex(machine, position, vm.nicShift)) ?? '';
    return mac !== undefined && now !== '' && now !== mac;
  });
  return isKept
    ? [
        `machine ${machine.name}: \`mac\` acts on machines that are made from now on; those that are there keep their addresses`,
      ]
    : [];
}

/** Where the lab wants nothing of it but to be there, nothing is left undone. */
function addTemplate(machine: Machine, vm: PresentVm, draft: Draft): void {
  const told = madeTemplateRefusal(machine, vm);
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
  const note = driftNote(machine, vm.vmid, drift);
  // What reaches another stand is told first.
  if (drift[0]?.kind === 'foreign-bridge') draft.notes.unshift(...note);
  else draft.notes.push(...note);
  draft.vms.push({ ...planned(vm, machine, 'complete'), ...(drift.length > 0 ? { drift } : {}) });
}

function addPresent(request: Request, resolved: ResolvedMachine, vm: PresentVm, draft: Draft): void {
  const { machine } = resolved;
  if (vm.isJoined) {
    draft.claimed.push({ machine: machine.name, vmid: vm.vmid, state: 'made', seals: [] });
  } else {
    const { seals = [], macs } = request.state.claim?.machines.find(({ vmid }) => vmid === vm.vmid) ?? {};
    draft.claimed.push({
      ...{ machine: machine.name, vmid: vm.vmid, state: 'reserved', seals },
      ...(macs ? { macs } : {}),
    });
    draft.joining.push({ machine: machine.name, vmid: vm.vmid });
  }
  if (isMadeTemplate(vm)) {
    addTemplate(machine, vm, draft);
    return;
  }
  if (vm.takenOver) addMark(request, machine, vm, draft);
  else if (vm.isFinished && vm.spec === undefined) {
    draft.vms.push(planned(vm, machine, 'complete'));
    return;
  }
  const differs =
    vm.isFinished && vm.spec !== undefined ? differences(request.lab, resolved, vm, vm.spec) : undefined;
  if (differs?.fixed === true) {
    draft.notes.push(
      `VM ${vm.vmid} (${machine.name}) was cloned from another template or in the other way (linked/full); it is not recreated`,
    );
  }
  // Hibernated it takes no change either, and goes on as it was when it is started.
  const hold = vm.lock === undefined ? undefined : holdOn(vm, vm.lock, request.index.tasks);
  if (hold) draft.notes.push(holdNote(vm, machine, hold));
  if (differs?.inPlace === true && hold?.kind === 'hibernated') {
    draft.vms.push(planned(vm, machine, 'pending-change'));
    return;
  }
  const isRunning = vm.power !== 'stopped';
  if (differs?.inPlace === true && isRunning && !request.updateRunning) {
    draft.notes.push(
      `VM ${vm.vmid} (${machine.name}) is running; the lab's changes wait until it is stopped (or --update-running)`,
    );
    draft.vms.push(planned(vm, machine, 'pending-change'));
    return;
  }
  if (differs?.inPlace === false) {
    addDrift(request, resolved, vm, { draft, isOfOther: differs.fixed });
    addLateSnapshot(request, machine, vm, draft);
    return;
  }
  const mark = parseVmMark(vm.config.values['description'] ?? '');
  const configure = configureStep(
    request,
    resolved,
    {
      vmid: vm.vmid,
      node: vm.node,
      present: vm,
      base: mark?.base,
      from: mark?.from,
    },
    { reason: whyConfigure(vm), dependsOn: lastStepOf(machine, draft) },
  );
  draft.steps.push(configure);
  draft.warnings.push(...onlyForNew(machine, vm));
  draft.lastStep.set(machine.name, configure.id);
  const waiting = isRunning ? waitingForRestart(machine, vm, request.have.version) : [];
  if (waiting.length > 0) {
    draft.notes.push(
      `VM ${vm.vmid} (${machine.name}) is running: ${waiting.join(', ')} act only after it was stopped and started`,
    );
  }
  draft.vms.push(planned(vm, machine, 'unfinished'));
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
      `VM ${vm.vmid} (${machine.name}) has no snapshot at all: its student deleted "${machine.baselineSnapshot}", or the lab asked for it later; there is nothing to return to, and a new one would not show the beginning (to have both, remove the machine and run again: it is made anew)`,
    );
  } else {
    addSnapshot(request, machine, vm, draft);
  }
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
