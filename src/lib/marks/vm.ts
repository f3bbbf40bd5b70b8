/** The mark of a VM, a line in its notes, and the tags for people. The notes can be edited by students. */
import { MARK, parseFields } from './fields.ts';
import { isSeal } from './seal.ts';

/** Tag on every VM of ours; for people, never evidence (clones inherit tags, students may edit them). */
export const TAG = 'deploy-stand';

/** Tag that names the lab; for people, too. */
export function labTag(lab: string): string {
  return `lab-${lab}`;
}

/** What a VM's description says of it. */
export interface VmMark {
  readonly lab: string;
  readonly user: string;
  readonly machine: string;
  readonly vmid: number;
  /** Proof that it is the clone which its claim was written for (marks/seal.ts). */
  readonly seal?: string;
  /** Present once the VM is configured. */
  readonly spec?: string;
  /** The replica that it is a linked clone of: lvmthin does not tell (pve-storage LvmThinPlugin.pm). */
  readonly base?: number;
  /** Of the template's configuration when it was cloned: an edit of the template makes another one. */
  readonly from?: string;
}

export function formatVmMark(mark: VmMark): string {
  return [
    `${MARK} lab=${mark.lab} user=${mark.user} machine=${mark.machine} vmid=${mark.vmid}`,
    ...(mark.seal === undefined ? [] : [`seal=${mark.seal}`]),
    ...(mark.base === undefined ? [] : [`base=${mark.base}`]),
    ...(mark.from === undefined ? [] : [`from=${mark.from}`]),
    ...(mark.spec === undefined ? [] : [`spec=${mark.spec}`]),
  ].join(' ');
}

function isVmMarkLine(text: string): boolean {
  return text.startsWith(`${MARK} lab=`);
}

/** The notes with this mark in the place of the one they have, else at their end. */
export function withVmMark(description: string, mark: VmMark): string {
  const lines = description.trimEnd().split('\n');
  const at = lines.findIndex(isVmMarkLine);
  if (at >= 0) lines[at] = formatVmMark(mark);
  else lines.push(formatVmMark(mark));
  return lines.filter((line, index) => line !== '' || index > 0).join('\n');
}

export function parseVmMark(description: string): VmMark | undefined {
  const line = description.split('\n').find(isVmMarkLine);
  if (line === undefined) return undefined;
  const { lab, user, machine, vmid, seal, spec, base, from } = parseFields(line);
  if (!lab || !user || !machine || !vmid || !/^\d{1,9}$/.test(vmid)) return undefined;
  return {
    lab,
    user,
    machine,
    vmid: Number(vmid),
    ...(seal !== undefined && isSeal(seal) ? { seal } : {}),
    ...(spec ? { spec } : {}),
    ...(base !== undefined && /^\d{1,9}$/.test(base) ? { base: Number(base) } : {}),
    ...(from !== undefined && /^[\w-]{1,12}$/.test(from) ? { from } : {}),
  };
}

/** The mark in the notes of this configuration, where it is this VM's own: clones of others inherit notes. */
export function ownVmMark(
  vmid: number,
  values: Readonly<Record<string, string>> | undefined,
): VmMark | undefined {
  const mark = parseVmMark(values?.['description'] ?? '');
  return mark?.vmid === vmid ? mark : undefined;
}

/** By its notes: has its clone been finished, which writes `spec=`? Undefined: they are not its own, and do not tell. */
export function isToldFinished(...of: Parameters<typeof ownVmMark>): boolean | undefined {
  const mark = ownVmMark(...of);
  return mark && mark.spec !== undefined;
}

/** The notes with this seal in our line; without our line they stay as they are. */
export function withSeal(description: string, seal: string | undefined): string {
  const mark = parseVmMark(description);
  return seal === undefined || !mark ? description : withVmMark(description, { ...mark, seal });
}
