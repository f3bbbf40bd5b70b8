/** What `users create`, `sync`, `delete` and `passwd` do with their flags: one frame, four kinds of work. */
import type { UsersWork } from '../../lib/plan/users/context.ts';
import {
  assertMaySetPasswords,
  changeUsers,
  previewUsers,
  type UsersWant,
} from '../../lib/workflow/users.ts';
import { CredentialsFile } from '../../lib/credentials/credentials-file.ts';
import { keptAccounts } from '../../lib/workflow/secrets.ts';
import { readOnlySealing } from '../age-recipient.ts';
import { tellFormerPasswords } from '../former-passwords.ts';
import type { Changing } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import type { DeployContext } from '../../lib/workflow/deploy.ts';
import { runPlanned, type PlanFlags } from '../planned-command.ts';
import {
  credentialsPath,
  presentCredentials,
  passwordsOf,
  readUsersSelection,
  roleOf,
  selectedUsers,
  type Selection,
  type UsersFlags,
} from './selection.ts';

export interface UsersChangeFlags extends UsersFlags, PlanFlags {
  readonly maxChanges?: number;
  readonly disable?: true;
  readonly prune?: true;
  readonly recreate?: true;
  readonly forceForeign?: true;
}

function workOf(by: UsersWork['by'], selection: Selection, flags: UsersChangeFlags): UsersWork {
  const users = selectedUsers(selection);
  const { named } = selection;
  switch (by) {
    case 'create':
      return { by, users };
    case 'sync':
      return {
        by,
        users,
        role: roleOf(selection),
        ...(selection.lab ? { lab: selection.lab } : {}),
        disable: flags.disable === true,
        prune: flags.prune === true,
      };
    case 'delete':
      return { by, users, named };
    case 'passwd':
      return {
        by,
        users,
        named,
        recreate: flags.recreate === true,
        forceForeign: flags.forceForeign === true,
      };
  }
}

/** What a run that was cut short has left in the file to be given back. */
async function keptBy(
  io: ProgramIo,
  flags: UsersChangeFlags,
  selection: Selection,
  run: Changing,
): Promise<ReturnType<typeof keptAccounts>> {
  const file = presentCredentials(flags, selection);
  if (file === undefined) return new Map();
  const { url } = await run.connect();
  const reading = readOnlySealing(io, flags, (text) => run.output.warn(text));
  return keptAccounts(await CredentialsFile.open(file, { url, ...reading }));
}

export async function runUsersChange(
  io: ProgramIo,
  flags: UsersChangeFlags,
  by: UsersWork['by'],
): Promise<void> {
  await runPlanned(io, flags, async (run) => {
    const selection = readUsersSelection(flags, (text) => run.output.warn(text));
    const work = workOf(by, selection, flags);
    const isRecreating = work.by === 'passwd' && work.recreate;
    const want: UsersWant = {
      work: isRecreating ? { ...work, kept: await keptBy(io, flags, selection, run) } : work,
      passwords: passwordsOf(selection),
      ...(flags.maxChanges === undefined ? {} : { maxChanges: flags.maxChanges }),
    };
    if (by === 'passwd') {
      const { login, url } = await run.connect();
      if (!flags.recreate) assertMaySetPasswords(login, 'add --recreate');
      const users = work.users.map(({ userid }) => userid);
      const file = credentialsPath(flags, selection);
      await tellFormerPasswords(io, flags, { file, users, url, warn: (text) => run.output.warn(text) });
    }
    return {
      verb: by,
      credentials: credentialsPath(flags, selection),
      showLogin: true,
      preview: (context) => previewUsers(want, context),
      apply: (context: DeployContext) => changeUsers(want, context),
    };
  });
}
