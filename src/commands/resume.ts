/** The command that finishes a run of one that does everything again when it is repeated: only what is not finished. */
import { Command, type Option } from 'commander';
import { groupBy } from '../lib/group.ts';
import { sortedUnique } from '../lib/order.ts';
import type { RunOutcome, StandSummary } from '../lib/outcome/types.ts';
import { NO_ROOM } from '../lib/plan/placement/capacity-text.ts';
import { shellCommand } from '../lib/shell.ts';
import { addGlobalOptions, labNameOption, labOption, usersOption } from './options.ts';

/** They narrow the selection by user, and give way to who is left. */
const BY_USER = new Set(['--user', '--only']);
const BY_MACHINE = new Set(['--machine']);
/** A saved plan leaves out for good what found no room when it was made. */
const SAVED = new Set(['--plan']);
/** Commands that can leave out what does not fit. */
const FITTING: ReadonlySet<string> = new Set(['deploy', 'power']);

function without(argv: readonly string[], options: ReadonlySet<string>): string[] {
  return argv.filter((word, at) => {
    const [name = ''] = word.split('=', 1);
    return !options.has(name) && !options.has(argv[at - 1] ?? '');
  });
}

function valuesOf(argv: readonly string[], option: string): string[] {
  return argv.flatMap((word, at) => {
    if (word.startsWith(`${option}=`)) return [word.slice(option.length + 1)];
    return argv[at - 1] === option ? [word] : [];
  });
}

type Outcome = Pick<RunOutcome, 'rounds'> & {
  readonly plan: Pick<RunOutcome['plan'], 'lab'>;
  readonly summary: { readonly stands: readonly StandSummary[] };
};

/** Of each machine and stand, as `user` or `user vmid`: was something of it planned, and not done? */
function openParts({ rounds }: Outcome): Map<string, boolean> {
  const parts = new Map<string, boolean>();
  for (const { plan, result } of rounds) {
    const done = new Set(result.results.flatMap(({ id, status }) => (status === 'done' ? [id] : [])));
    for (const step of plan.steps) {
      const key = 'vmid' in step ? `${step.user ?? ''} ${step.vmid}` : (step.user ?? '');
      parts.set(key, parts.get(key) === true || !done.has(step.id));
    }
  }
  return parts;
}

/** Names of the machines of a stand that are not finished, joined; '': all of them, or it cannot be told. */
function machinesLeft({ user, vms }: StandSummary, parts: ReadonlyMap<string, boolean>): string {
  const open = vms.filter(({ vmid }) => parts.get(`${user} ${vmid}`) !== false);
  // What concerns the stand as a whole failed, or a machine that nobody lists.
  if (parts.get(user) === true || open.length === vms.length) return '';
  return sortedUnique(open.map(({ name }) => name)).join(' ');
}

/** The words of these options, with their values. */
function onlyOptions(argv: readonly string[], options: readonly Option[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    const [name = '', value] = word.split('=', 2);
    const option = options.find(({ short, long }) => name === long || word === short);
    if (!option) continue;
    kept.push(word);
    const next = argv[at + 1];
    const isValued = option.required || (option.optional && next?.startsWith('-') === false);
    if (!isValued || value !== undefined || next === undefined) continue;
    kept.push(next);
    at += 1;
  }
  return kept;
}

/** Where to, and with which files. */
const SHARED = [...addGlobalOptions(new Command()).options, labOption(), labNameOption(), usersOption()];

function deployWay(
  argv: readonly string[],
  users: readonly string[],
  { hasFiles, lab }: { readonly hasFiles: boolean; readonly lab: string },
): string {
  const only = shellCommand('--only', users.join(','));
  if (!hasFiles)
    return `run deploy again with the files of ${lab === '' ? 'its lab' : `lab ${lab}`} and ${only}`;
  return `${shellCommand('deploy-stand', 'deploy', ...onlyOptions(argv, SHARED))} ${only}`;
}

/** `hasFiles`: of the lab and its users. */
export interface StartsOver {
  readonly hasFiles: boolean;
  /** It makes machines that are missing itself. */
  readonly makesMissing: boolean;
}

/** Their hint is another command: the same one would be refused again. */
const NEEDS_OTHER_WORDS: ReadonlySet<string> = new Set([
  ...['SNAPSHOTS_LOST', 'SNAPSHOT_MISSING', 'SNAPSHOT_NAME_TAKEN'],
  ...['SNAPSHOT_NAME_USED', 'SNAPSHOT_NOT_OURS', 'SNAPSHOT_NOT_NEWEST'],
  // A guest that does not listen will not the next time.
  'SHUTDOWN_IGNORED',
  // They stay until an option says otherwise.
  ...['PROTECTED', 'MEMBERS_LEFT'],
  ...['SHARED_POOL', 'UNTIL_PAST', 'NO_EXPIRY'],
  'VM_IS_TEMPLATE',
]);

const isOpen = ({ status }: StandSummary): boolean => status === 'incomplete' || status === 'refused';

const isLeft = (stand: StandSummary): boolean =>
  isOpen(stand) && !NEEDS_OTHER_WORDS.has(stand.error?.code ?? '');

/** Could the same command do more than it has done? */
function canFinish(stands: readonly StandSummary[]): boolean {
  return stands.some(isLeft) || !stands.some(isOpen);
}

const isWithoutRoom = ({ error }: StandSummary): boolean => error?.code === NO_ROOM;

/** Repeated as it is, the command would find no more room than before. */
function roomWay(argv: readonly string[], count: number): string {
  const whom = count === 1 ? 'the stand that found none' : `the ${count} stands that found none`;
  return `make room for ${whom} (the numbers are above), then: ${shellCommand('deploy-stand', ...without(argv, SAVED))}`;
}

/** The ways to go on, one after another. */
export function resumeWays(
  argv: readonly string[],
  outcome: Outcome,
  startsOver: StartsOver | undefined,
): string[] {
  const { stands } = outcome.summary;
  const full = stands.filter((stand) => isOpen(stand) && isWithoutRoom(stand));
  if (full.length === 0) return waysOfRest(argv, outcome, startsOver);
  const rest = stands.filter((stand) => !full.includes(stand));
  // Without it the whole class would be refused for those that do not fit.
  const fitting = FITTING.has(argv[0] ?? '') && !argv.includes('--fit') ? [...argv, '--fit'] : argv;
  const ways = rest.some(isOpen)
    ? waysOfRest(fitting, { ...outcome, summary: { stands: rest } }, startsOver)
    : [];
  return [...ways, roomWay(argv, full.length)];
}

/** What is missing only a deploy can make, as it is handed out. */
function waysOfRest(argv: readonly string[], outcome: Outcome, startsOver: StartsOver | undefined): string[] {
  if (!canFinish(outcome.summary.stands)) return [];
  if (startsOver === undefined) return [shellCommand('deploy-stand', ...argv)];
  const { hasFiles, makesMissing } = startsOver;
  const again = (of: Outcome): string[] =>
    resumeArgvs(argv, of).map((words) => shellCommand('deploy-stand', ...words));
  if (makesMissing) return again(outcome);
  const { stands } = outcome.summary;
  const lacking = stands.filter((one) => isLeft(one) && one.vms.some(({ status }) => status === 'missing'));
  if (lacking.length === 0) return again(outcome);
  const parts = openParts(outcome);
  const rest = stands.map((one): StandSummary => {
    const vms = one.vms.filter(({ status }) => status !== 'missing');
    const isDone =
      lacking.includes(one) &&
      parts.get(one.user) !== true &&
      vms.every(({ vmid }) => parts.get(`${one.user} ${vmid}`) === false);
    return { ...one, vms, ...(isDone ? { status: 'complete' as const } : {}) };
  });
  const deploy = deployWay(
    argv,
    lacking.map(({ user }) => user),
    { hasFiles, lab: outcome.plan.lab },
  );
  return [deploy, ...(rest.some(isLeft) ? again({ ...outcome, summary: { stands: rest } }) : [])];
}

/**
 * What is done stays so: whoever was reset may be at work again. One command for all stands that lack the same machines; no
 * selector that was given is widened.
 */
function resumeArgvs(argv: readonly string[], outcome: Outcome): readonly (readonly string[])[] {
  const { stands } = outcome.summary;
  const left = stands.filter(isLeft);
  if (left.length === 0) return [argv];
  const parts = openParts(outcome);
  const given = valuesOf(argv, '--machine');
  return [...groupBy(left, (stand) => machinesLeft(stand, parts))].map(([key, group]) => {
    const users =
      group.length === stands.length
        ? argv
        : [...without(argv, BY_USER), ...group.flatMap(({ user }) => ['--user', user])];
    const names = key === '' ? [] : key.split(' ');
    const machines = given.length === 0 ? names : given.filter((name) => names.includes(name));
    if (machines.length === 0) return users;
    return [...without(users, BY_MACHINE), ...machines.flatMap((name) => ['--machine', name])];
  });
}
