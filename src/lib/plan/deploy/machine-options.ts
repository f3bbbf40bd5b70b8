/** Which options of a VM the lab sets, and which of them wait until it is started anew. */
import type { Machine } from '../../config/types.ts';
import { isAtLeast } from '../../pve-values/version.ts';
import type { PresentVm } from '../stands/state.ts';

/** They are about the VM, not about the machine in it: they act at once. */
const HOT_OPTIONS: ReadonlySet<string> = new Set(['onboot', 'protection']);

/** Of which guests read all at once. */
const CLOUD_INIT = /^(?:ci[a-z]+|nameserver|searchdomain|sshkeys|ipconfig\d+)$/;

/** 7.4 refuses the whole configuration over it. */
export function takesUpgrade(version: string): boolean {
  return isAtLeast(version, 8);
}

/** `onboot` and `protection` are inherited from the template; a class of VMs starting at boot would be a storm. */
export function planOptions(machine: Machine, version: string): Record<string, string> {
  const options: Record<string, string> = { onboot: '0', protection: '0' };
  if (machine.cores !== undefined) options['cores'] = String(machine.cores);
  if (machine.memory !== undefined) options['memory'] = String(machine.memory);
  const cloudInit = machine.cloudInit;
  if (!cloudInit) return options;
  if (cloudInit.user !== undefined) options['ciuser'] = cloudInit.user;
  if (cloudInit.nameserver !== undefined) options['nameserver'] = cloudInit.nameserver;
  if (cloudInit.searchdomain !== undefined) options['searchdomain'] = cloudInit.searchdomain;
  if (cloudInit.upgrade !== undefined && takesUpgrade(version))
    options['ciupgrade'] = cloudInit.upgrade ? '1' : '0';
  // PVE wants the keys URL-encoded before the form encodes them again (qemu-server, `urlencoded` format).
  if (cloudInit.sshKeys) options['sshkeys'] = encodeURIComponent(cloudInit.sshKeys.join('\n'));
  for (const [index, value] of Object.entries(cloudInit.ipConfig ?? {})) options[`ipconfig${index}`] = value;
  return options;
}

/** Options of a running VM of which PVE keeps the change until it is started anew, and cloud-init, which guests read then. */
export function waitingForRestart(machine: Machine, vm: PresentVm, version: string): string[] {
  const now = vm.config.values;
  const changed = Object.entries(planOptions(machine, version)).filter(([key, value]) => now[key] !== value);
  const words = changed.flatMap(([key]) =>
    HOT_OPTIONS.has(key) ? [] : CLOUD_INIT.test(key) ? ['cloud-init settings'] : [key],
  );
  return [...new Set(words)];
}
