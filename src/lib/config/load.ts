/** Loads labs and users from files or text. One ConfigError lists the problems of all files; nothing is contacted. */
import { networkAt } from './lab/device-profiles.ts';
import { realOf } from './lab/networks.ts';
import type { ConfigIssue } from '../errors.ts';
import { collectErrors, valueOf, type Collected } from './input/collect.ts';
import { configError } from './input/issues.ts';
import { readLab, type LabOptions } from './lab/lab.ts';
import { readPoolPattern } from './lab/pool-pattern.ts';
import { readTextFile } from './input/read-text.ts';
import { readChecks } from './checks/checks.ts';
import type { Check } from './checks/types.ts';
import type { Lab, Machine, User } from './types.ts';
import { mergeUsers } from './users/several.ts';
import { readUserIds, readUsers, type UsersOptions } from './users/users.ts';

export type { LabOptions } from './lab/lab.ts';

export interface LoadedLab {
  readonly lab: Lab;
  readonly warnings: readonly string[];
}

export interface LoadedUsers {
  readonly users: readonly User[];
  readonly warnings: readonly string[];
}

export interface LoadedClass extends LoadedLab, LoadedUsers {
  /** By which a saved plan is known to be of these files; empty without the file. */
  readonly files: { readonly lab: string; readonly users: string };
}

export interface ClassOptions extends LabOptions {
  /** False: the command is content with a part of the class, so the lab need not have room for all. Default: true. */
  readonly isWhole?: boolean;
}

export function parseLab(content: string, file: string, options: LabOptions = {}): LoadedLab {
  const result = collectErrors(() => readLab(content, file, options));
  return { lab: valueOf(result), warnings: result.warnings };
}

export function loadLab(file: string, options: LabOptions = {}): LoadedLab {
  return parseLab(readTextFile(file).text, file, options);
}

/** Of a file of their own. `lab`: of which they are, where its file was given. */
export function loadChecks(file: string, lab?: Lab): readonly Check[] {
  return valueOf(collectErrors(() => readChecks(readTextFile(file).text, file, lab)));
}

export function parseUsers(content: string, file: string): LoadedUsers {
  const result = collectErrors(() => readUsers(content, file));
  return { users: valueOf(result), warnings: result.warnings };
}

/** Named by an option, not by a file. */
export function parseUserIds(userids: readonly string[], option: string): LoadedUsers {
  const result = collectErrors(() => readUserIds(userids, option));
  return { users: valueOf(result), warnings: result.warnings };
}

function readUsersFiles(files: readonly string[], options: UsersOptions = {}): Collected<readonly User[]> {
  return mergeUsers(
    files.map((file) => ({
      file,
      read: collectErrors(() => readUsers(readTextFile(file).text, file, options)),
    })),
  );
}

/** What the lab says of the pools of its class. */
export function poolOptions(lab: Lab | undefined): UsersOptions {
  return { poolPattern: lab?.access.pool };
}

/** Several files are one class; see users/several.ts. */
export function loadUsers(files: string | readonly string[], options: UsersOptions = {}): LoadedUsers {
  const result = readUsersFiles([files].flat(), options);
  return { users: valueOf(result), warnings: result.warnings };
}

function vmidRangeIsLargeEnough(lab: Lab, users: readonly User[]): ConfigIssue[] {
  const { first, last } = lab.vmidRange;
  const has = last - first + 1;
  const needs = lab.machines.length * users.length;
  if (has >= needs) return [];
  const message = `the range ${first}-${last} has ${has} VMIDs, the class needs ${needs}`;
  return [{ file: lab.file, path: 'vmid_range', message, hint: 'widen vmid_range' }];
}

function sharedMacs({ name, networks }: Machine, users: number): string[] {
  return networks.flatMap((network) => {
    const { mac } = network;
    const real = realOf(network);
    if (mac === undefined || !real) return [];
    return [`machine ${name}: ${users} VMs on ${real.bridge} would have the same MAC address ${mac}`];
  });
}

/** `ip=` and `ip6=` of cloud-init, on NICs that all users' machines have in one network. */
function sharedAddresses(machine: Machine, users: number): string[] {
  const { name, cloudInit } = machine;
  return Object.entries(cloudInit?.ipConfig ?? {}).flatMap(([nic, config]) => {
    const network = networkAt(machine, Number(nic));
    const real = network && realOf(network);
    if (!real) return [];
    return [...config.matchAll(/\bip6?=([\da-f.:]+)\/\d+/gi)].map(
      ([, address]) =>
        `machine ${name}: ${users} VMs on ${real.bridge} would have the same address ${address}`,
    );
  });
}

function nothingIsShared(lab: Lab, users: readonly User[]): string[] {
  if (users.length < 2) return [];
  return lab.machines.flatMap((machine) => [
    ...sharedMacs(machine, users.length),
    ...sharedAddresses(machine, users.length),
  ]);
}

/** What is wrong with the lab, its own reading tells. */
function patternOf({ value }: Collected<string>, file: string): string | undefined {
  if (value === undefined) return undefined;
  const read = collectErrors(() => ({
    value: { pool: readPoolPattern(value, file) },
    errors: [],
    warnings: [],
  }));
  return read.value?.pool;
}

/** All files at once, and what only shows when all are known. Without a users file: the lab alone. */
export function loadClass(
  labFile: string,
  usersFiles: string | readonly string[] | undefined,
  options: ClassOptions = {},
): LoadedClass {
  // Once: it may be standard input.
  const written = collectErrors(() => ({ value: readTextFile(labFile).text, errors: [], warnings: [] }));
  const usersResult: Collected<readonly User[]> =
    usersFiles === undefined
      ? { value: [], digest: '', errors: [], warnings: [] }
      : readUsersFiles([usersFiles].flat(), { poolPattern: patternOf(written, labFile) });
  const known = usersFiles === undefined ? undefined : usersResult.value?.map((user) => user.userid);
  const labResult = collectErrors(() =>
    readLab(valueOf(written), labFile, { ...options, ...(known ? { users: known } : {}) }),
  );
  if (labResult.errors.length + usersResult.errors.length > 0) {
    throw configError(labResult.errors, usersResult.errors);
  }
  const lab = valueOf(labResult);
  const users = valueOf(usersResult);
  const problems = options.isWhole === false ? [] : vmidRangeIsLargeEnough(lab, users);
  if (problems.length > 0) throw configError(problems);
  return {
    lab,
    users,
    files: { lab: labResult.digest ?? '', users: usersResult.digest ?? '' },
    warnings: [...labResult.warnings, ...usersResult.warnings, ...nothingIsShared(lab, users)],
  };
}
