/** What PVE says of users that the system of the node does not have, in words that lead on. */
import { noSystemUser } from '../../../proxmox/words.ts';
import { nameIn } from '../../../pve-values/userid.ts';
import { shellCommand } from '../../../shell.ts';
import { StepError } from '../../step-error.ts';

/** The error itself where it is about something else. */
export function explainPassword(userid: string, error: unknown): unknown {
  const name = noSystemUser(error);
  if (name === undefined) return error;
  return new StepError(
    'NO_SYSTEM_USER',
    `${userid} gets no password, since accounts of the realm pam are those of the node's own system, and it has no user ${name}`,
    {
      hint: `make the user on every node that students log in to, as root: \`${shellCommand('adduser', name)}\`; or write ${nameIn(userid)}@pve in the users file: then PVE keeps account and password itself`,
      cause: error,
    },
  );
}
