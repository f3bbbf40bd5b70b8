/** A lab and its users together: all problems of both files at once, and what only shows when both are known. */
import type { ConfigIssue } from '../errors.ts';
import { configError } from './issues.ts';
import { tryLoadLab, type LabOptions } from './lab.ts';
import type { Lab, Machine, User } from './types.ts';
import { tryLoadUsers } from './users.ts';

export interface LabClass {
  readonly lab: Lab;
  readonly users: readonly User[];
  readonly warnings: readonly string[];
}

function vmidRangeIsLargeEnough(lab: Lab, users: readonly User[]): ConfigIssue[] {
  const { first, last } = lab.vmidRange;
  const has = last - first + 1;
  const needs = lab.machines.length * users.length;
  if (has >= needs) return [];
  const message = `the range ${first}-${last} has ${has} VMIDs, the class needs ${needs}`;
  return [{ file: lab.file, path: 'vmid_range', message, hint: `write ${first}-${first + needs - 1} or more` }];
}

function sharedMacs({ name, networks }: Machine, users: number): string[] {
  return networks.flatMap(({ mac, target }) => {
    if (mac === undefined || target.kind === 'alias') return [];
    return [`machine ${name}: ${users} VMs on ${target.bridge} would have the MAC address ${mac}`];
  });
}

function macsAreNotShared(lab: Lab, users: readonly User[]): string[] {
  if (users.length < 2) return [];
  return lab.machines.flatMap((machine) => sharedMacs(machine, users.length));
}

/** Throws one ConfigError with the problems of both files. */
export function loadClass(labFile: string, usersFile: string, options: LabOptions = {}): LabClass {
  const lab = tryLoadLab(labFile, options);
  const users = tryLoadUsers(usersFile);
  if (lab.value === undefined || users.value === undefined) throw configError(lab.errors, users.errors);

  const problems = vmidRangeIsLargeEnough(lab.value, users.value);
  if (problems.length > 0) throw configError(problems);
  const warnings = [...lab.warnings, ...users.warnings, ...macsAreNotShared(lab.value, users.value)];
  return { lab: lab.value, users: users.value, warnings };
}
