/** Finds a copy of a template: on the node where it is made, or already where it belongs. Reads only. */
import { REPLICA_POOL } from '../../../marks/replica.ts';
import type { ConfigValues } from '../../../proxmox/types.ts';
import { isCloneLock, type GuestAt } from '../../../pve-values/guest-kinds.ts';
import { StepError } from '../../step-error.ts';
import type { StepIo } from '../../types.ts';
import { identityOf } from '../vm/identity.ts';

export interface ReplicaStep extends GuestAt {
  readonly home: string;
  readonly description: string;
}

export interface Place {
  readonly node: string;
  readonly values: ConfigValues;
}

/** How long a replica under another task is waited for: a copy of large disks takes its time. */
export const LOCK_SECONDS = 3600;

/** Throws for a VM that is not ours, or not the planned copy, and when there is none. */
export async function findReplica(step: ReplicaStep, io: StepIo): Promise<Place> {
  const { vmid, home, description } = step;
  // A run that works on the same copy may have moved it on meanwhile; between two looks it changes nodes once at most.
  for (const node of [step.node, home, step.node]) {
    const values = await io.pve.guestConfig({ ...step, node }, io.signal);
    if (!values) continue;
    if (identityOf(vmid, values['description'] ?? '') === identityOf(vmid, description)) {
      // Nothing is written to it while it is being cloned.
      if (!isCloneLock(values['lock'])) await io.ownership.assertOurs({ vmid, pool: REPLICA_POOL }, values);
      return { node, values };
    }
    throw new StepError(
      'NOT_OURS',
      `VM ${vmid} on ${node} is not the copy of the template that was planned`,
      {
        hint: 'it is left alone; run the command again: it plans anew from what is there',
      },
    );
  }
  throw new StepError('VM_MISSING', `VM ${vmid} is neither on ${step.node} nor on ${home}`, {
    hint: 'run the command again',
  });
}
