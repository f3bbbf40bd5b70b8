/** Which options of a VM the lab sets, and which of them wait until it is started anew. */
import type { Machine } from '../../config/types.ts';
import { isAtLeast } from '../../pve-values/version.ts';
import { optionGroup, WAITS_FOR_RESTART, type NamedOption } from '../../pve-values/vm-options.ts';
import type { PresentVm } from '../stands/state.ts';

/** 7.4 refuses the whole configuration over it. */
export function takesUpgrade(version: string): boolean {
  return isAtLeast(version, 8);
}

/** Undefined: it stays as the template has it. */
const VALUE: Readonly<Record<NamedOption, (machine: Machine, version: string) => string | undefined>> = {
  // Both are inherited from the template; a class of VMs starting at boot would be a storm.
  onboot: () => '0',
  protection: () => '0',
  cores: ({ cores }) => cores?.toString(),
  memory: ({ memory }) => memory?.toString(),
  ciuser: ({ cloudInit }) => cloudInit?.user,
  nameserver: ({ cloudInit }) => cloudInit?.nameserver,
  searchdomain: ({ cloudInit }) => cloudInit?.searchdomain,
  ciupgrade: ({ cloudInit: { upgrade } = {} }, version) =>
    upgrade === undefined || !takesUpgrade(version) ? undefined : upgrade ? '1' : '0',
  // PVE wants the keys URL-encoded before the form encodes them again (qemu-server, `urlencoded` format).
  sshkeys: ({ cloudInit }) => cloudInit?.sshKeys && encodeURIComponent(cloudInit.sshKeys.join('\n')),
};

export function planOptions(machine: Machine, version: string): Record<string, string> {
  const named = Object.entries(VALUE).flatMap(([option, valueFor]) => {
    const value = valueFor(machine, version);
    return value === undefined ? [] : [[option, value] as const];
  });
  const cards = Object.entries(machine.cloudInit?.ipConfig ?? {});
  return Object.fromEntries([...named, ...cards.map(([nic, value]) => [`ipconfig${nic}`, value] as const)]);
}

/** Options of a running VM of which PVE keeps the change until it is started anew, and cloud-init, which guests read then. */
export function waitingForRestart(machine: Machine, vm: PresentVm, version: string): string[] {
  const now = vm.config.values;
  const changed = Object.entries(planOptions(machine, version)).filter(([key, value]) => now[key] !== value);
  const groups = changed.flatMap(([key]) => optionGroup(key) ?? []);
  const words = groups.flatMap((group) => WAITS_FOR_RESTART[group] ?? []);
  return [...new Set(words)];
}
