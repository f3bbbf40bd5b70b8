/** The one PUT that configures a VM, made from its present configuration and the step. Pure. */
import { presentNics } from '../../pve-values/nics.ts';
import type { Nic, StepOf } from '../../plan/types.ts';
import type { ConfigValues } from '../../proxmox/types.ts';

export interface ConfigChange {
  readonly set: ConfigValues;
  readonly remove: readonly string[];
  readonly digest?: string;
}

/** `netN` as PVE writes it. Without a MAC, PVE draws one; sub-options that are not sent are lost. */
function formatNic(nic: Nic, mac: string | undefined): string {
  return [
    mac === undefined ? `model=${nic.model}` : `${nic.model}=${mac}`,
    `bridge=${nic.bridge}`,
    ...(nic.tag === undefined ? [] : [`tag=${nic.tag}`]),
    ...(nic.firewall === true ? ['firewall=1'] : []),
    ...(nic.linkDown === true ? ['link_down=1'] : []),
    ...(nic.trunks === undefined || nic.trunks.length === 0 ? [] : [`trunks=${nic.trunks.join(';')}`]),
    ...(nic.mtu === undefined ? [] : [`mtu=${nic.mtu}`]),
  ].join(',');
}

/** PVE compares and stores tags in lower case, sorted, joined by `;` (pve-guest-common, `get_unique_tags`). */
function mergeTags(present: string, added: readonly string[]): string {
  const all = [...present.split(/[;,\s]+/), ...added].filter((tag) => tag !== '');
  return [...new Set(all.map((tag) => tag.toLowerCase()))].sort().join(';');
}

/** Undefined: the VM carries this description, and it was written together with all the rest. */
export function configChange(
  step: StepOf<'vm.configure'>,
  present: ConfigValues,
  cipassword: string | undefined,
): ConfigChange | undefined {
  if ((present['description'] ?? '').trimEnd() === step.description.trimEnd()) return undefined;
  const nicsNow = presentNics(present);
  const set: Record<string, string> = { ...step.options, description: step.description };
  for (const nic of step.nics) {
    const kept = nicsNow.find(({ index, mac }) => index === nic.index && mac !== '')?.mac;
    set[`net${nic.index}`] = formatNic(nic, nic.mac ?? kept);
  }
  const tags = mergeTags(present['tags'] ?? '', step.tags);
  if (tags !== '') set['tags'] = tags;
  if (cipassword !== undefined) set['cipassword'] = cipassword;
  const stale = [...nicsNow.map(({ index }) => `net${index}`), ...step.remove];
  const remove = [...new Set(stale)].filter((key) => key in present && !(key in set));
  const digest = present['digest'];
  return { set, remove, ...(digest === undefined ? {} : { digest }) };
}
