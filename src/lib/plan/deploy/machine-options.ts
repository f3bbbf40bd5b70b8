/** Which options of a VM the lab sets, and which of them wait until it is started anew. */
import type { CloudInit, Machine } from '../../config/types.ts';
import { isAtLeast } from '../../pve-values/version.ts';
import { optionGroup, WAITS_FOR_RESTART, type VmOptions } from '../../pve-values/vm-options.ts';
import type { PresentVm } from '../stands/state.ts';

/** 7.4 refuses the whole configuration over it. */
export function takesUpgrade(version: string): boolean {
  return isAtLeast(version, 8);
}

function cloudInitOptions(cloudInit: CloudInit, version: string): VmOptions {
  const { user, nameserver, searchdomain, upgrade, sshKeys, ipConfig = {} } = cloudInit;
  const options: VmOptions = {};
  if (user !== undefined) options.ciuser = user;
  if (nameserver !== undefined) options.nameserver = nameserver;
  if (searchdomain !== undefined) options.searchdomain = searchdomain;
  if (upgrade !== undefined && takesUpgrade(version)) options.ciupgrade = upgrade ? '1' : '0';
  // PVE wants the keys URL-encoded before the form encodes them again (qemu-server, `urlencoded` format).
  if (sshKeys) options.sshkeys = encodeURIComponent(sshKeys.join('\n'));
  for (const [index, value] of Object.entries(ipConfig)) options[`ipconfig${Number(index)}`] = value;
  return options;
}

/** `onboot` and `protection` are inherited from the template; a class of VMs starting at boot would be a storm. */
export function planOptions(machine: Machine, version: string): Record<string, string> {
  const { cores, memory, cloudInit } = machine;
  const options: VmOptions = {
    onboot: '0',
    protection: '0',
    ...(cores === undefined ? {} : { cores: String(cores) }),
    ...(memory === undefined ? {} : { memory: String(memory) }),
    ...(cloudInit ? cloudInitOptions(cloudInit, version) : {}),
  };
  return options;
}

/** Options of a running VM of which PVE keeps the change until it is started anew, and cloud-init, which guests read then. */
export function waitingForRestart(machine: Machine, vm: PresentVm, version: string): string[] {
  const now = vm.config.values;
  const changed = Object.entries(planOptions(machine, version)).filter(([key, value]) => now[key] !== value);
  const groups = changed.flatMap(([key]) => optionGroup(key) ?? []);
  const words = groups.flatMap((group) => WAITS_FOR_RESTART[group] ?? []);
  return [...new Set(words)];
}
