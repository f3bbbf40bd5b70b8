/** The options of a VM that labs set: whoever has to tell them apart asks this table. Knows no lab. */

/** All but `ipconfig0`, `ipconfig1`, … of the cards. */
export type NamedOption =
  | 'onboot'
  | 'protection'
  | 'cores'
  | 'memory'
  | 'ciuser'
  | 'nameserver'
  | 'searchdomain'
  | 'ciupgrade'
  | 'sshkeys';

/** Options of one group take the same privilege, are told with the same words, and are compared as one. */
export type OptionGroup = 'onboot' | 'protection' | 'cores' | 'memory' | 'cloud-init';

const GROUP: Readonly<Record<NamedOption | 'ipconfig', OptionGroup>> = {
  onboot: 'onboot',
  protection: 'protection',
  cores: 'cores',
  memory: 'memory',
  ciuser: 'cloud-init',
  nameserver: 'cloud-init',
  searchdomain: 'cloud-init',
  ciupgrade: 'cloud-init',
  sshkeys: 'cloud-init',
  ipconfig: 'cloud-init',
};

/** What waits until a running VM is started anew, in words; undefined: it acts at once, being about the VM, not about the machine in it. */
export const WAITS_FOR_RESTART: Readonly<Record<OptionGroup, string | undefined>> = {
  onboot: undefined,
  protection: undefined,
  cores: 'cores',
  memory: 'memory',
  // Guests read all of it at once, when they start.
  'cloud-init': 'cloud-init settings',
};

/** Undefined: no option that a lab sets. */
export function optionGroup(option: string): OptionGroup | undefined {
  const row = option.replace(/^ipconfig\d+$/, 'ipconfig');
  return Object.hasOwn(GROUP, row) ? GROUP[row as keyof typeof GROUP] : undefined; // a key of the table
}

export function hasOptionOf(group: OptionGroup, options: Readonly<Record<string, string>>): boolean {
  return Object.keys(options).some((option) => optionGroup(option) === group);
}
