/** A right on a VM is given and taken only while the VM is ours, or is not there. Reads only. */
import type { StepOf } from '../../plan/document/step.ts';
import type { StepIo } from '../types.ts';

export async function assertVm(
  { path, pool }: StepOf<'acl.grant'> | StepOf<'acl.revoke'>,
  io: StepIo,
): Promise<void> {
  const vmid = /^\/vms\/(\d+)$/.exec(path)?.[1];
  if (vmid === undefined || pool === undefined) return;
  const claimed = { vmid: Number(vmid), pool };
  const verdict = await io.ownership.verdict(claimed);
  if (verdict !== 'missing' && verdict !== 'open') await io.ownership.assertOurs(claimed);
}
