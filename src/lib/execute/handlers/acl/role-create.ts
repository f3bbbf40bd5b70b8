/** Makes a role that is not there. Never changes one that is. */
import { setRoleCommand } from '../../../pve-values/admin-commands.ts';
import { isAlreadyExists } from '../../../proxmox/words.ts';
import { attempt } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler } from '../../types.ts';

export const createRole: Handler<'role.create'> = (step, io) => {
  const { role, privileges } = step;
  /** One that somebody else made meanwhile is as good, unless it gives more than was planned. */
  const isThere = async (): Promise<boolean> => {
    const present = (await io.pve.roles(io.signal)).find((one) => one.role === role);
    const more = present?.privileges.filter((name) => !privileges.includes(name)) ?? [];
    if (more.length === 0) return present !== undefined;
    throw new StepError(
      'ROLE_TOO_WIDE',
      `role ${role} was made by somebody else and holds ${more.join(', ')}`,
      {
        hint: `an administrator brings it back with\n  ${setRoleCommand(role, privileges)}`,
      },
    );
  };
  return attempt(io, {
    id: step.id,
    act: async () => {
      try {
        await io.pve.createRole(role, privileges, io.signal);
        return 'done';
      } catch (error) {
        if (!isAlreadyExists(error) || !(await isThere())) throw error;
        return 'already-done';
      }
    },
    look: async () => ((await isThere()) ? 'done' : 'absent'),
  });
};
