/** Waits while another operation (a backup, a snapshot, a migration) holds a VM. Never breaks a lock. */
import { isVmLocked } from '../../../proxmox/words.ts';
import { StepError } from '../../step-error.ts';
import type { StepIo, StepOutcome } from '../../types.ts';

export interface Patience {
  readonly node: string;
  readonly vmid: number;
  readonly seconds: number;
}

const FIRST_POLL = 2000;
const LONGEST_POLL = 5000;

/** A rest that no operation of PVE will ever take care of. `why` reads on after "VM 1 on pve1". */
export function zombie({ node, vmid }: Omit<Patience, 'seconds'>, why: string): StepError {
  return new StepError('ZOMBIE_VM', `VM ${vmid} on ${node} ${why}; only root can remove it`, {
    hint: `as root on ${node}: \`qm unlock ${vmid} && qm destroy ${vmid} --purge\`, then run cleanup again`,
  });
}

/** No operation holds it, so that waiting ends nothing. */
function hibernated({ node, vmid }: Patience): StepError {
  return new StepError('VM_HIBERNATED', `VM ${vmid} on ${node} is hibernated (lock: suspended)`, {
    // While it is protected PVE does not let its saved memory go, either (check_protection).
    hint: `start VM ${vmid}, or as root on ${node}: \`qm unlock ${vmid}\`; then run again`,
  });
}

async function lockError(patience: Patience, lock: string, io: StepIo): Promise<StepError> {
  const { node, vmid } = patience;
  // PVE files a clone under its template's id, so that any clone under way on the node may be this one.
  const isAbandoned =
    lock === 'clone' &&
    (await io.pve.tasks(node, { source: 'active', type: 'qmclone' }, io.signal)).length === 0;
  if (isAbandoned) return zombie(patience, 'is the rest of a failed clone (lock: clone)');
  return new StepError('VM_LOCKED', `VM ${vmid} on ${node} is locked (${lock})`, {
    hint: `wait for the operation that holds it, then run again; if none is running: \`qm unlock ${vmid}\` as root on ${node}`,
  });
}

/** Ends when the lock is gone, is one that never goes, or the VM is. */
async function outwait(patience: Patience, io: StepIo, deadline: number): Promise<void> {
  const { node, vmid } = patience;
  for (let poll = FIRST_POLL; ; poll = Math.min(poll * 1.5, LONGEST_POLL)) {
    const lock = (await io.pve.vmConfig(node, vmid, io.signal))?.['lock'];
    if (lock === 'destroyed') return;
    if (lock === 'suspended') throw hibernated(patience);
    if (lock !== undefined && io.clock.now() + poll > deadline) throw await lockError(patience, lock, io);
    await io.clock.sleep(poll, io.signal);
    if (lock === undefined) return;
  }
}

/** Carries `act` out, and once more after each lock that it meets: it says `locked`, or PVE does. */
export async function patiently(
  patience: Patience,
  io: StepIo,
  act: () => Promise<StepOutcome | 'locked'>,
): Promise<StepOutcome> {
  const deadline = io.clock.now() + patience.seconds * 1000;
  for (;;) {
    try {
      const outcome = await act();
      if (outcome !== 'locked') return outcome;
    } catch (error) {
      if (!isVmLocked(error)) throw error;
    }
    await io.stepAside(() => outwait(patience, io, deadline));
  }
}
