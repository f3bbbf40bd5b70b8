/** What a VM's notes say it is, whatever else stands in them. Reads nothing. */
import { parseVmMark } from '../../../marks/vm.ts';
import { parseReplicaMark } from '../../../marks/replica.ts';

/** The machine of a stand, or the copy of a template; undefined when the notes do not name this VMID. */
export function identityOf(vmid: number, description: string): string | undefined {
  const mark = parseVmMark(description);
  if (mark?.vmid === vmid) return `${mark.lab} ${mark.user} ${mark.machine}`;
  const replica = parseReplicaMark(description);
  return replica?.vmid === vmid ? `replica ${replica.source} ${replica.digest}` : undefined;
}
