/** Reads which stands a command is about, from its flags and the files that they name. Contacts nothing. */
import { loadUsers } from '../lib/config/load.ts';
import type { Lab, User } from '../lib/config/types.ts';
import { UsageError } from '../lib/errors.ts';
import { nearestOf } from '../lib/nearest.ts';
import type { StandSelection } from '../lib/plan/stands/selection.ts';
import { nameIn } from '../lib/pve-values/userid.ts';
import type { StatusFiles } from '../lib/render/status-problems.ts';
import { listStands } from '../lib/workflow/stands.ts';
import type { Changing } from './cluster-command.ts';
import type { SelectionFlags } from './selection-options.ts';
import { loadWant } from './class-files.ts';

type Warn = (text: string) => void;

/** What the files say, beside what is selected by them. */
export interface ReadSelection {
  readonly stands: StandSelection;
  readonly lab?: Lab;
  /** Of the users files, those that were picked. */
  readonly users?: readonly User[];
}

/** With both files at hand the way out of a problem is the very command. */
export function statusFiles({ config, users }: SelectionFlags): StatusFiles | undefined {
  return config !== undefined && users ? { lab: config, users } : undefined;
}

/** A question to begin a hint with; '' where nothing is near. */
export function whatWasMeant(unknown: readonly string[], there: readonly string[]): string {
  const near = new Set(unknown.flatMap((name) => nearestOf(name, there, 3)));
  return near.size > 0 ? `did you mean ${[...near].join(' or ')}? ` : '';
}

/** Those of a users file that an option names: by user id, or by the part before the realm. */
export function pickUsers(users: readonly User[], names: readonly string[], option: string): User[] {
  const matches = (user: User, name: string): boolean => user.userid === name || nameIn(user.userid) === name;
  const unknown = names.filter((name) => !users.some((user) => matches(user, name)));
  if (unknown.length > 0) {
    const there = users.map(({ userid }) => userid);
    throw new UsageError(
      'UNKNOWN_USER',
      `${option} names users that are not in the users file: ${unknown.join(', ')}`,
      { hint: `${whatWasMeant(unknown, there)}write them as in the users file, e.g. anna@pve` },
    );
  }
  return users.filter((user) => names.some((name) => matches(user, name)));
}

/** An empty value is a variable that was not set. */
function named(option: string, names: readonly string[] | undefined): readonly string[] | undefined {
  if (names?.some((name) => name.trim() === '')) {
    throw new UsageError('SELECTION', `${option} is empty`, {
      hint: 'name one; without a selection the command lists what there is',
    });
  }
  return names && [...new Set(names)];
}

/** Any user of the cluster, but as PVE writes them: nothing would be found for another spelling. */
function userids(users: readonly string[] | undefined): readonly string[] | undefined {
  const wrong = (users ?? []).filter((user) => !/^.+@[^@]+$/.test(user));
  if (wrong.length === 0) return users;
  const given = wrong.map((user) => JSON.stringify(user)).join(', ');
  throw new UsageError('SELECTION', `--user takes name@realm, got ${given}`, {
    hint: `for example: --user ${(wrong[0] ?? '').trim().replace(/@$/, '')}@pve`,
  });
}

function assertSense({ config, users, lab, user, only }: SelectionFlags): void {
  if (lab !== undefined && config !== undefined) {
    throw new UsageError('SELECTION', '-c and --lab both say which lab', { hint: 'leave one of them out' });
  }
  if (only && !users) {
    throw new UsageError('SELECTION', '--only narrows a users file, and none was given', {
      hint: 'add -u users.yml, or name users of the cluster with --user ID',
    });
  }
  if (only && user) {
    throw new UsageError('SELECTION', '--only and --user both pick users of the file', {
      hint: 'leave one of them out',
    });
  }
}

function readFiles(
  { config, users: files, labName }: SelectionFlags,
  warn: Warn,
): { readonly lab?: Lab; readonly users?: readonly User[] } {
  if (config !== undefined) {
    const flags = {
      config,
      ...(files ? { users: files } : {}),
      ...(labName === undefined ? {} : { labName }),
    };
    const { lab, users, warnings } = loadWant(flags, undefined, { isWhole: false });
    warnings.forEach(warn);
    return { lab, ...(files ? { users } : {}) };
  }
  if (!files) return {};
  const { users, warnings } = loadUsers(files);
  warnings.forEach(warn);
  return { users };
}

/** Undefined: nothing was selected. */
export function readSelection(flags: SelectionFlags, warn: Warn): ReadSelection | undefined {
  assertSense(flags);
  const [labName] = named('--lab', flags.lab === undefined ? undefined : [flags.lab]) ?? [];
  const byHand = userids(named('--user', flags.user));
  const machines = named('--machine', flags.machine);
  const nodes = named('--node', flags.node);
  const { lab, users } = readFiles(flags, warn);
  const narrowing = flags.only
    ? { names: flags.only, option: '--only' }
    : { names: byHand, option: '--user' };
  const picked = users && narrowing.names ? pickUsers(users, narrowing.names, narrowing.option) : users;
  const selected =
    picked?.map(({ userid, pool }) => ({ userid, pool })) ?? byHand?.map((userid) => ({ userid }));
  const name = lab?.name ?? labName;
  if (name === undefined && !selected && !machines && !nodes) return undefined;
  return {
    stands: {
      ...(name === undefined ? {} : { lab: name }),
      ...(lab ? { labMachines: lab.machines, bridgeRange: lab.bridgeRange } : {}),
      ...(selected ? { users: selected } : {}),
      ...(users && !narrowing.names ? { isWholeClass: true } : {}),
      ...(machines ? { machines } : {}),
      ...(nodes ? { nodes } : {}),
    },
    ...(lab ? { lab } : {}),
    ...(picked ? { users: picked } : {}),
  };
}

/** `-c` alone would mean whoever was ever given the lab, and `-u` alone all that they ever had: said in so many words. */
function assertWhole({ config, users, user, lab }: SelectionFlags): void {
  // With `--lab` as well, that is what is to be told.
  const isLabAlone = config !== undefined && lab === undefined && !users && !user;
  const areUsersAlone = users !== undefined && config === undefined && lab === undefined;
  if (!isLabAlone && !areUsersAlone) return;
  const [other, all] = isLabAlone
    ? ['-u users.yml', 'for all users of a lab use --lab NAME in place of -c']
    : ['-c lab.yml or --lab NAME', 'for all labs of a user use --user ID in place of -u'];
  throw new UsageError('SELECTION', '-c and -u belong together: the stands of these users in this lab', {
    hint: `add ${other}; ${all}`,
  });
}

/** For commands that change stands: no selection is an error that lists what there is. `more`: selectors of their own. */
export async function needSelection(
  flags: SelectionFlags & { readonly plan?: string },
  run: Changing,
  { command, more = [] }: { readonly command: string; readonly more?: readonly string[] },
): Promise<ReadSelection> {
  assertWhole(flags);
  const selection = readSelection(flags, (text) => run.output.warn(text));
  if (selection) return selection;
  const ways = ['-c lab.yml -u users.yml', '--lab NAME', '--user ID', ...more];
  throw new UsageError('NO_SELECTION', `${command} needs to be told which stands`, {
    hint: [
      ...(flags.plan === undefined
        ? []
        : ['a saved plan is applied with the selection that it was made with']),
      `use ${ways.slice(0, -1).join(', ')} or ${ways.at(-1) ?? ''}`,
      await listStands(await run.runContext()),
    ].join('\n'),
  });
}
