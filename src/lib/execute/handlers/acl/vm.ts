/** The VM on which a right is given or taken away, and whether it is ours. Reads only. */
import type { StepOf } from '../../../plan/document/step.ts';
import { vmidIn } from '../../../pve-values/acl-path.ts';
import type { Claimed } from '../../ask-ownership.ts';
import type { StepIo } from '../../types.ts';

type AclStep = StepOf<'acl.grant'> | StepOf<'acl.revoke'>;

function vmOf({ path, pool }: AclStep): Claimed | undefined {
  const vmid = vmidIn(path);
  return vmid === undefined || pool === undefined ? undefined : { vmid, pool };
}

/** A right on a number where nothing stands would wait for whatever is made there next. */
export async function assertGivable(step: AclStep, { ownership }: StepIo): Promise<void> {
  const vm = vmOf(step);
  if (vm) await ownership.assertOurs(vm);
}

export async function assertTakable(step: AclStep, { ownership }: StepIo): Promise<void> {
  const vm = vmOf(step);
  if (vm) await ownership.assertOursOrGone(vm);
}
