/** The way out of a machine that was made a template, as a student can with the own ones: one place. Plans nothing. */
import { asRoot, destroyCommand, noTemplateCommand } from '../../pve-values/admin-commands.ts';
import type { GuestAt } from '../../pve-values/guest-kinds.ts';
import { recloneCommand, UNKNOWN_LAB } from '../document/reclone-command.ts';
import { hangsOn, volumesOf } from '../../pve-values/volumes.ts';

interface MadeTemplate {
  readonly vm: GuestAt;
  /** Its configuration; absent: not read. */
  readonly values?: Readonly<Record<string, string>> | undefined;
  readonly user: string;
  /** By the claim; 0.1.0 wrote no names. */
  readonly machine?: string | undefined;
}

/** For the one machine; where the file of the lab is, no planner knows. */
export function cloneAnew(user: string, machine: string): string {
  return `\`${recloneCommand({ lab: UNKNOWN_LAB, users: [user], machines: [machine] })}\``;
}

/** Names the machine: it is told beside the ways out of others. By the option alone its disks stay as they are, and it can be taken back; a conversion renames them. */
export function templateWayOut({ vm, values, user, machine }: MadeTemplate): string {
  const { vmid } = vm;
  const away =
    machine === undefined
      ? `${asRoot(vm, destroyCommand(vm))}, then deploy again: VM ${vmid} is cloned anew`
      : `${cloneAnew(user, machine)} makes VM ${vmid} anew`;
  const isConverted = values && volumesOf(values).some((volume) => hangsOn(volume, vmid));
  if (isConverted) return away;
  const back = `${asRoot(vm, noTemplateCommand(vm))}, then run again`;
  return `${away}; to keep what is on its disks, ${values ? '' : 'where they were not converted, too, '}${back}`;
}
