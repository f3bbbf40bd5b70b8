/** The way out of a machine that was made a template, as a student can with the own ones: one place. Plans nothing. */
import { shellCommand } from '../../shell.ts';
import { hangsOn, volumesOf } from '../../pve-values/volumes.ts';

interface MadeTemplate {
  readonly vmid: number;
  readonly node: string;
  /** Its configuration; absent: not read. */
  readonly values?: Readonly<Record<string, string>> | undefined;
}

/** By the option alone its disks stay as they are, and it can be taken back; a conversion renames them. */
export function templateWayOut({ vmid, node, values }: MadeTemplate): string {
  const back = `\`${shellCommand('qm', 'set', String(vmid), '--template', '0')}\`, then run again`;
  const away = `\`${shellCommand('qm', 'destroy', String(vmid), '--purge')}\`, then deploy again: it is cloned anew`;
  const says = `as root on ${node}: `;
  if (values === undefined) return `${says}${back}; where its disks were converted, too: ${away}`;
  return says + (volumesOf(values).some((volume) => hangsOn(volume, vmid)) ? away : back);
}
