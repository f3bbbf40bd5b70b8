/** A new password for a user who is there: whose can be set here at all, and the step that does it. */
import { realmIn } from '../../pve-values/userid.ts';
import type { Inventory, UserInfo } from '../../inventory/types.ts';
import type { Refusal } from '../document/plan.ts';
import { makeStep, type StepOf } from '../document/step.ts';
import { isDirectory } from './accounts.ts';

/** Said of those whose password PVE does not keep. */
export function directoryRefusal(userid: string, have: Inventory): Refusal | undefined {
  const realm = realmIn(userid);
  if (!isDirectory(realm, have)) return undefined;
  return {
    code: 'DIRECTORY_ACCOUNT',
    message: `the password of ${userid} is kept by the directory behind realm ${realm}`,
    hint: 'change it there',
  };
}

export function newPasswordStep({ userid, comment }: UserInfo): StepOf<'user.password'> {
  return makeStep('user.password', userid, { user: userid, reason: 'as asked' }, { userid, comment });
}
