/** What keeps a machine of a selected stand from being worked on now, in words that are the same for all commands. Plans nothing. */
import { isTemplate } from '../../pve-values/guest-flags.ts';
import type { GuestInfo, VmConfig } from '../../inventory/types.ts';
import { holdHint, holdOn, isLasting, sayHold } from '../cluster/locks.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import { templateWayOut } from '../stands/made-template.ts';
import type { Verdict } from '../stands/ownership.ts';
import type { StandMachine, StandView } from '../stands/selected.ts';
import { unsealedRefusal } from '../stands/state-refusals.ts';
import { sayPowerCommand } from './power-command.ts';

/** One that is ours, there, and was read. */
export interface ReadyMachine extends StandMachine {
  readonly guest: GuestInfo;
  readonly config: VmConfig;
}

/** `VM 10201 (pc)`. */
export function sayMachine({ vmid, machine, guest }: StandMachine): string {
  const name = machine ?? guest?.name;
  return name === undefined ? `VM ${vmid}` : `VM ${vmid} (${name})`;
}

/** How its steps are called: by the claim, else by its number. */
export function machineKey({ pool }: StandView, { machine, vmid }: StandMachine): string {
  return `${pool}/${machine ?? vmid}`;
}

/** After its name. */
const WHY: Readonly<
  Record<Exclude<Verdict, 'ours' | 'unsealed'>, { readonly code: string; readonly message: string }>
> = {
  missing: { code: 'VM_MISSING', message: 'is gone' },
  open: { code: 'VM_MISSING', message: 'was never made' },
  'in-flight': { code: 'CLONE_RUNNING', message: 'is still being cloned' },
  unjoined: { code: 'VM_UNFINISHED', message: 'is not finished' },
  'left-pool': { code: 'LEFT_POOL', message: 'was taken out of its pool by somebody, and is left alone' },
  foreign: { code: 'NOT_OURS', message: 'is not ours, and is left alone' },
  zombie: { code: 'ZOMBIE_VM', message: 'is the rest of a failed removal or clone' },
  away: { code: 'NODE_OFFLINE', message: 'is on a node that is offline' },
  unreadable: { code: 'VM_UNREADABLE', message: 'cannot be read' },
  doubtful: { code: 'UNMARKED_VM', message: 'does not show whether it is ours' },
};

function wayOut(verdict: Verdict, { user, pool }: StandView, { vmid, guest }: StandMachine): string {
  switch (verdict) {
    case 'left-pool':
      return `put VM ${vmid} back into pool ${pool}, then run again`;
    case 'away':
      return `run again when ${guest?.node ?? 'the node'} is back`;
    case 'in-flight':
      return 'run again when the clone has ended';
    case 'zombie':
      return `${holdHint(guest ?? { vmid, node: 'its node' }, { kind: 'removed' })}, then deploy again`;
    case 'unreadable':
      return 'see that the caller has VM.Audit on /vms, then run again';
    default:
      return `deploy again for ${user}: it completes the stand, or says what is in the way`;
  }
}

/** Why it is left alone, whatever was to be done. */
export function leftAs(
  verdict: Exclude<Verdict, 'ours'>,
  { view, one }: { readonly view: StandView; readonly one: StandMachine },
): Refusal {
  if (verdict === 'unsealed') {
    const { vmid, guest } = one;
    return unsealedRefusal(guest ?? { vmid });
  }
  const { code, message } = WHY[verdict];
  return { code, message: `${sayMachine(one)} ${message}`, hint: wayOut(verdict, view, one) };
}

/** A lock that nobody will take away; an operation that may still be under way is waited for. */
export function staleLock(
  one: StandMachine,
  guest: GuestInfo,
  { lock, index }: { readonly lock: string | undefined; readonly index: ClusterView },
): Refusal | undefined {
  const hold = lock === undefined ? undefined : holdOn(guest, lock, index.tasks);
  if (hold?.kind !== 'stale' && hold?.kind !== 'removed') return undefined;
  return {
    code: 'VM_LOCKED',
    message: `${sayMachine(one)} ${sayHold(hold)}`,
    hint: `${holdHint(guest, hold)}; then run again`,
  };
}

/** Undefined: it may be worked on; an operation that holds it is waited for. */
export function machineRefusal(view: StandView, one: StandMachine, index: ClusterView): Refusal | undefined {
  return whereReady(view, one, (ready) => heldBack(view, ready, index));
}

/**
 * The same where it is removed: what its student made a template goes like any other, since the claim knows which one it
 * is. Where linked clones hang on it PVE refuses, before anything of it is removed (qemu-server, destroy_vm).
 */
export function removalObstacle(view: StandView, one: StandMachine, index: ClusterView): Refusal | undefined {
  return whereReady(view, one, (ready) => lockedFor(view, ready, index));
}

function whereReady(
  view: StandView,
  one: StandMachine,
  obstacle: (ready: ReadyMachine) => Refusal | undefined,
): Refusal | undefined {
  if (one.verdict !== 'ours') return leftAs(one.verdict, { view, one });
  return isReady(one) ? obstacle(one) : leftAs('unreadable', { view, one });
}

/** Of one that may be written to: what was made of it, or what PVE keeps it for. */
export function heldBack(view: StandView, one: ReadyMachine, index: ClusterView): Refusal | undefined {
  const { guest, config } = one;
  if (guest.template || isTemplate(config.values)) {
    const { machine } = one;
    const hint = templateWayOut({ vm: guest, values: config.values, user: view.user, machine });
    return { code: 'VM_IS_TEMPLATE', message: `${sayMachine(one)} was made a template`, hint };
  }
  return lockedFor(view, one, index);
}

/** What PVE keeps it for. */
function lockedFor(view: StandView, one: ReadyMachine, index: ClusterView): Refusal | undefined {
  const { guest, config } = one;
  const lock = config.values['lock'] ?? guest.lock;
  if (lock !== undefined && isLasting(lock)) {
    const resume = sayPowerCommand('resume', { lab: view.claim.lab, user: view.user });
    return {
      code: 'VM_HIBERNATED',
      message: `${sayMachine(one)} ${sayHold({ kind: 'hibernated' })}`,
      hint: `${resume} lets it go on; then run again`,
    };
  }
  return staleLock(one, guest, { lock, index });
}

/** After `obstacleOf` has found none. */
export function isReady(one: StandMachine): one is ReadyMachine {
  return one.guest !== undefined && one.config !== undefined;
}
