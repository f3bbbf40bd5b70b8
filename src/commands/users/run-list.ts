/** What `users list` does with its flags. */
import { CredentialsFile } from '../../lib/credentials/credentials-file.ts';
import { renderUsers, toUsersDocument } from '../../lib/render/users-text.ts';
import { listUsers } from '../../lib/workflow/users.ts';
import { runChanging } from '../cluster-command.ts';
import { readOnlySealing } from '../age-recipient.ts';
import type { ProgramIo } from '../io.ts';
import { presentCredentials, readUsersSelection, type UsersFlags } from './selection.ts';

export async function runUsersList(io: ProgramIo, flags: UsersFlags): Promise<void> {
  await runChanging(io, flags, async (run) => {
    const selection = readUsersSelection(flags, (text) => run.output.warn(text));
    const { url } = await run.connect();
    const file = presentCredentials(flags, selection);
    const credentials =
      file === undefined
        ? undefined
        : await CredentialsFile.open(file, {
            url,
            ...readOnlySealing(io, flags, (text) => run.output.warn(text)),
          });
    const rows = await listUsers(selection.users, await run.runContext(), credentials);
    run.output.result(toUsersDocument(rows), () => renderUsers(rows, run.output));
  });
}
