/** What became of a clone of ours that is under way or whose answer was lost. Reads and waits only. */
import { REPLICA_POOL } from '../../../marks/replica.ts';
import { holdHint } from '../../../plan/cluster/locks.ts';
import type { StepOf } from '../../../plan/document/step.ts';
import { AuthError } from '../../../proxmox/errors.ts';
import type { ConfigValues, TaskRow, Upid } from '../../../proxmox/types.ts';
import { destroyCommand } from '../../../pve-values/admin-commands.ts';
import { nameIn } from '../../../pve-values/guest-flags.ts';
import { isCloneLock } from '../../../pve-values/guest-kinds.ts';
import { StepError } from '../../step-error.ts';
import type { StepIo } from '../../types.ts';
import { isWritable } from '../../../plan/stands/ownership.ts';
import { tasksOn } from '../outlive-tasks.ts';
import { identityOf } from './identity.ts';

/** `home`: another run that makes the same copy of a template may have moved it on there. */
type CloneStep = StepOf<'vm.clone'> | StepOf<'template.clone'>;

const SECOND = 1000;
const LONGEST_POLL = 5 * SECOND;
/** A lock without a task that we can see: a task of another account, or of a node that just died, shows late. */
const GRACE = 30 * SECOND;

interface FoundVm {
  readonly node: string;
  readonly values: ConfigValues;
}

/** Something stands there that the caller has no right to: it is in no pool of ours, at least not yet. */
type Hidden = 'hidden';

/** Who left it: a clone of this run, which is told; or somebody before, and then another number is taken. */
type LeftCode = 'CLONE_LEFT' | 'VMID_TAKEN';

/** A clone with `target` lives on the template's node until its very end: whoever looked there last could miss it twice. */
async function findVm(step: CloneStep, io: StepIo): Promise<FoundVm | Hidden | undefined> {
  const home = step.kind === 'template.clone' ? [step.home] : [];
  const isConfined = step.kind === 'vm.clone' && step.joinsAtOnce === true;
  try {
    for (const node of new Set([step.node, step.target, ...home])) {
      const values = await io.pve.guestConfig({ ...step, node }, io.signal);
      if (values) return { node, values };
    }
    return undefined;
  } catch (error) {
    // A confined caller is refused the same for a VM that is in no pool yet, and for none at all.
    if (!isConfined || !(error instanceof AuthError)) throw error;
    return (await io.pve.isVmidFree(step.vmid, io.signal)) ? undefined : 'hidden';
  }
}

/** PVE files a clone task under the template's id: all clones of one template look alike. */
function activeClones(step: CloneStep, io: StepIo): Promise<readonly TaskRow[]> {
  const template = { ...step, vmid: step.templateVmid };
  return io.pve.tasks(step.node, { source: 'active', ...tasksOn(template, 'clone') }, io.signal);
}

function isFinished(step: CloneStep, vm: FoundVm): boolean {
  if (step.kind === 'template.clone') return !isCloneLock(vm.values['lock']);
  return vm.values['lock'] === undefined && vm.node === step.target;
}

/** PVE unlocks it before it brings it into its pool; one that never gets there was not made in it. */
async function isOutside(step: CloneStep, { values }: FoundVm, io: StepIo): Promise<boolean> {
  if (step.joinsAtOnce !== true) return false;
  const verdict = await io.ownership.verdict({ vmid: step.vmid, pool: claimantOf(step) }, values);
  return verdict === 'in-flight';
}

/** Its seal tells; of a copy of a template also what it is a copy of: the template may have been changed since. */
async function isSame(step: CloneStep, values: ConfigValues, io: StepIo): Promise<boolean> {
  const { vmid } = step;
  if (!isWritable(await io.ownership.verdict({ vmid, pool: claimantOf(step) }, values))) return false;
  if (step.kind === 'vm.clone') return true;
  const found = identityOf(vmid, values['description'] ?? '');
  return found !== undefined && found === identityOf(vmid, step.description);
}

/** The pool whose claim names it. */
export function claimantOf(step: CloneStep): string {
  return step.kind === 'vm.clone' ? step.pool : REPLICA_POOL;
}

async function judge(step: CloneStep, vm: FoundVm, io: StepIo): Promise<'done'> {
  if (await isSame(step, vm.values, io)) return 'done';
  const name = nameIn(vm.values);
  const called = name === undefined ? '' : ` ("${name}")`;
  throw new StepError('VMID_TAKEN', `VMID ${step.vmid} is in use by another VM${called} on ${vm.node}`, {
    hint: 'run the command again: the machine gets another number',
  });
}

/** PVE takes a failed clone back on the template's node only: a configuration that moved to the target before stays. */
function leftover(step: CloneStep, code: LeftCode): StepError {
  const { vmid, target } = step;
  const pool = claimantOf(step);
  return new StepError(
    code,
    `VMID ${vmid} is in use, but not by a member of pool ${pool}: a clone that did not get into its pool, or somebody else's VM`,
    {
      hint: `if its notes name vmid=${vmid}, remove it as an administrator (\`${destroyCommand(step)}\` on ${target}); run again: the machine gets another number`,
    },
  );
}

function stuck(step: CloneStep, vm: FoundVm | Hidden, code: LeftCode): StepError {
  if (vm === 'hidden') return leftover(step, code);
  const { node, values } = vm;
  const { vmid, target } = step;
  return values['lock'] === undefined
    ? new StepError('VM_MISPLACED', `VM ${vmid} was left on ${node}, its place is ${target}`, {
        hint: `migrate VM ${vmid} to ${target}, or remove it, then run again`,
      })
    : new StepError(
        'ZOMBIE_CLONE',
        `VM ${vmid} on ${node} is locked (${values['lock']}), and no clone of template ${step.templateVmid} is running`,
        // Its disks may be half copied: it is no machine, and `cleanup` would take the whole stand.
        {
          hint: `if its notes name vmid=${vmid}, ${holdHint({ ...step, node }, { kind: 'removed' })}; then run again`,
        },
      );
}

/** Polls until the VM has no clone lock any more (or is gone); polls while a clone of the template is running. */
async function waitUnlocked(step: CloneStep, io: StepIo, code: LeftCode): Promise<FoundVm | undefined> {
  let unseen = 0;
  for (let wait = SECOND; ; wait = Math.min(wait * 1.5, LONGEST_POLL)) {
    const vm = await findVm(step, io);
    if (!vm) return undefined;
    const isDone = vm !== 'hidden' && isFinished(step, vm);
    if (isDone && !(await isOutside(step, vm, io))) return vm;
    unseen = (await activeClones(step, io)).length === 0 ? unseen + wait : 0;
    if (unseen > GRACE) {
      // Nobody is told to remove, or to move, what somebody else has made there.
      if (vm !== 'hidden' && !isDone && vm.values['lock'] === undefined) await judge(step, vm, io);
      throw stuck(step, isDone ? 'hidden' : vm, code);
    }
    await io.clock.sleep(wait, io.signal);
  }
}

/** `absent`: nothing stands under the VMID, and no task that we know of is going to put anything there. */
export async function settledClone(
  step: CloneStep,
  io: StepIo,
  code: LeftCode = 'CLONE_LEFT',
): Promise<'done' | 'absent'> {
  const vm = await waitUnlocked(step, io, code);
  return vm ? judge(step, vm, io) : 'absent';
}

/**
 * The same after a lost answer: the task may run without having written anything yet. `since` (seconds, the server's)
 * tells it from older clones of the template; younger ones of other machines are waited for too.
 */
export async function settledLostClone(
  step: CloneStep,
  io: StepIo,
  since: number,
): Promise<'done' | 'absent'> {
  let suspects: ReadonlySet<Upid> | undefined;
  for (let wait = SECOND; ; wait = Math.min(wait * 1.5, LONGEST_POLL)) {
    if (await findVm(step, io)) break;
    const active = await activeClones(step, io);
    suspects ??= new Set(active.filter(({ starttime }) => starttime >= since).map(({ upid }) => upid));
    if (!active.some(({ upid }) => suspects?.has(upid))) break;
    await io.clock.sleep(wait, io.signal);
  }
  return settledClone(step, io);
}
