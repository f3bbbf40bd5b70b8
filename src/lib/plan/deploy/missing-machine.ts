/** What makes a machine that is not there: its VMID, its claim, the clone; of one made anew, its removal first. */
import type { Machine } from '../../config/types.ts';
import { madeFrom } from '../stands/made-as.ts';
import { deleteFormer, stepsBeforeClaim } from './reclone.ts';
import { cloneSource, type CloneSource } from '../templates/clone-source.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';
import { toldKind } from '../../pve-values/guest-kinds.ts';
import { withNewSeal } from '../../marks/seal.ts';
import { formatVmMark } from '../../marks/vm.ts';
import { pinKey } from '../cluster/pins.ts';
import { makeStep, type Step } from '../document/step.ts';
import type { Refusal } from '../document/plan.ts';
import { planned, type Draft, type Request } from './machine-draft.ts';
import { configureStep, addSnapshot } from './machine-steps.ts';

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

interface Vmid {
  readonly vmid: number;
  /** It was claimed before. */
  readonly isReused: boolean;
}

/** Of what it had, of what its stand has claimed and not used, or a free one. */
function vmidFor(machine: Machine, request: Request, open: number[]): Vmid | Refusal {
  const { userid } = request.state.user;
  const wish = request.pins.vmids.get(pinKey(userid, machine.name));
  const reused = request.state.open.get(machine.name)?.vmid ?? takeOpen(open, wish);
  const vmid = reused ?? request.vmids.take(wish);
  if (vmid !== undefined) return { vmid, isReused: reused !== undefined };
  const { first, last } = request.lab.vmidRange;
  return {
    code: 'NO_VMID',
    message: `no VMID is left in ${first}–${last} for machine ${machine.name} of ${userid}`,
    hint: 'widen `vmid_range` in the lab file',
  };
}

function addClaim(machine: Machine, { vmid, isReused }: Vmid, request: Request, draft: Draft): void {
  const former = request.state.open.get(machine.name);
  if (!isReused) draft.fresh.push(vmid);
  draft.claimed.push({
    machine: machine.name,
    vmid,
    state: 'reserved',
    seals: former?.isInFlight === true ? former.seals : withNewSeal(former?.seals),
    ...(former?.macs ? { macs: former.macs } : {}),
  });
  draft.joining.push({ machine: machine.name, vmid });
}

interface Clone {
  readonly machine: Machine;
  readonly node: string;
  readonly source: CloneSource;
  readonly id: Vmid;
  /** Steps that remove what it was before. */
  readonly removal: readonly Step[];
}

function cloneStep(request: Request, { machine, node, source, id, removal }: Clone): Step {
  const { userid, pool } = request.state.user;
  const { vmid, isReused } = id;
  const { base } = source;
  const former = request.state.open.get(machine.name);
  const isInFlight = former?.isInFlight === true;
  const wasMade = former?.wasMade === true && former.vmid === vmid;
  const from = madeFrom(source.origin.digest);
  const mark = { lab: request.lab.name, user: userid, machine: machine.name, vmid, from };
  return makeStep(
    'vm.clone',
    `${pool}/${machine.name}`,
    {
      user: userid,
      reason: removal.length > 0 ? 'anew' : whyClone(vmid, { isReused, isInFlight, wasMade }),
      dependsOn: [...source.dependsOn, ...removal.map(({ id }) => id)],
    },
    {
      node: source.node,
      target: node,
      templateVmid: source.vmid,
      vmid,
      ...toldKind(source),
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
}

export function addMissing(
  request: Request,
  resolved: ResolvedMachine,
  draft: Draft,
  open: number[],
): Refusal | undefined {
  const { machine } = resolved;
  const node = request.nodeOf(resolved);
  const source = cloneSource(resolved, node, request);
  if ('code' in source) return source;
  draft.warnings.push(...source.warnings);
  const id = vmidFor(machine, request, open);
  if ('code' in id) return id;
  const place = { node, vmid: id.vmid, ...toldKind(source) };
  addClaim(machine, id, request, draft);
  const removal = removeFormer(request, machine, draft);
  const clone = cloneStep(request, { machine, node, source, id, removal });
  const configure = configureStep(
    request,
    resolved,
    { ...place, present: undefined, base: source.base, from: madeFrom(source.origin.digest) },
    { reason: 'new', dependsOn: [clone.id] },
  );
  draft.steps.push(...removal, clone, configure);
  draft.lastStep.set(machine.name, configure.id);
  const remade = request.state.remade?.get(machine.name);
  draft.vms.push(planned(remade ?? { ...place, power: 'stopped' }, machine, 'new'));
  addSnapshot(request, machine, place, draft);
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
