/** Changes of a VM's configuration, made from the present one: the one PUT that configures it, and what to do where it was too old. */
import { formatTags, parseTags } from '../../../pve-values/tags.ts';
import { formatNic, presentNics } from '../../../pve-values/nics.ts';
import type { StepOf } from '../../../plan/document/step.ts';
import { isDigestMismatch } from '../../../proxmox/words.ts';
import type { ConfigValues } from '../../../proxmox/types.ts';

export interface ConfigChange {
  readonly set: ConfigValues;
  readonly remove: readonly string[];
  readonly digest?: string;
}

/** PVE refuses what was made of a configuration that somebody has changed since: `act` reads it anew, once. */
export async function onceMoreIfStale<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!isDigestMismatch(error)) throw error;
    return act();
  }
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
    const kept = nicsNow.find(({ index }) => index === nic.index)?.mac;
    set[`net${nic.index}`] = formatNic(nic, nic.mac ?? kept);
  }
  const tags = formatTags([...parseTags(present['tags']), ...step.tags]);
  if (tags !== '') set['tags'] = tags;
  if (cipassword !== undefined) set['cipassword'] = cipassword;
  const others = nicsNow.filter(({ index }) => step.keptNics?.includes(index) !== true);
  const stale = [...others.map(({ index }) => `net${index}`), ...step.remove];
  const remove = [...new Set(stale)].filter((key) => key in present && !(key in set));
  const digest = present['digest'];
  return { set, remove, ...(digest === undefined ? {} : { digest }) };
}
