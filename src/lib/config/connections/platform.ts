/** The one place where what is for Proxmox VE parts from other platforms. Contacts nothing. */
import { UsageError } from '../../errors.ts';

/** `name`: of the connection to VMmanager 6. */
export function otherPlatform(name: string): UsageError {
  return new UsageError(
    'PLATFORM',
    `connection ${name} is an installation of VMmanager 6, and this is for Proxmox VE`,
    {
      hint: 'VMmanager 6 is for `deploy-stand balance` and `deploy-stand connections`; name a cluster of Proxmox VE with --connection',
    },
  );
}
