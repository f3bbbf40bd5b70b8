/** What is wrong, in words, and the way out of it; what is true of many is said once. Judges nothing. */
import { groupBy } from '../group.ts';
import { formatVmids } from '../marks/vmid-ranges.ts';
import { sortedUnique } from '../order.ts';
import { recloneCommand, UNKNOWN_LAB } from '../plan/document/reclone-command.ts';
import { syncCommand } from '../plan/document/sync-command.ts';
import type { Problem, ProblemKind } from '../plan/views/status-types.ts';
import {
  destroyCommand,
  destroyLockedCommand,
  enableUserCommand,
  guestCommand,
  moveCommand,
  noTemplateCommand,
} from '../pve-values/admin-commands.ts';
import { shellCommand } from '../shell.ts';
import { reportEn } from './languages/report-en.ts';
import type { ProblemTexts } from './languages/report-texts.ts';

export interface ProblemText {
  readonly kind: ProblemKind;
  /** It stops nobody's work today. */
  readonly isMild: boolean;
  readonly title: string;
  /** What it is about, one line each. */
  readonly of: readonly string[];
  readonly hints: readonly string[];
}

/** As the command line named them: with them a hint is a command. */
export interface StatusFiles {
  readonly lab: string;
  readonly users: readonly string[];
}

interface Words {
  /** It stops nobody's work today. */
  readonly isMild?: true;
  /** What several of these problems have in common, by which one line is enough; absent: a line for each. */
  readonly alike?: (problem: Problem) => string;
  readonly about: (problem: Problem, texts: ProblemTexts) => string;
  readonly way: (problems: readonly Problem[], context: Context) => readonly string[];
}

interface Context {
  readonly files: StatusFiles | undefined;
  readonly texts: ProblemTexts;
}

function who({ user, lab }: Problem, texts: ProblemTexts): string {
  return [user, lab === undefined ? undefined : texts.lab(lab)]
    .filter((part) => part !== undefined)
    .join(', ');
}

function machineOf({ machine, vmid, node }: Problem, texts: ProblemTexts): string {
  const id = String(vmid ?? '?');
  return `${machine ?? texts.vm} (${node === undefined ? id : texts.at(id, node)})`;
}

const withDetail = (text: string, { detail }: Problem): string =>
  detail === undefined ? text : `${text}: ${detail}`;
const ofMachine: Words['about'] = (problem, texts) =>
  withDetail(`${who(problem, texts)}: ${machineOf(problem, texts)}`, problem);
/** The same thing went wrong, whichever VM PVE names in it. */
function failureOf({ node, vmid, detail = '' }: Problem): string {
  return `${node ?? ''} ${withoutVmid(detail, vmid)}`;
}

const withoutVmid = (text: string, vmid: number | undefined): string =>
  text.replaceAll(new RegExp(`(?<!\\d)${vmid ?? '$'}(?!\\d)`, 'g'), 'VMID');

/** Two runs that get in each other's way leave as many failures as there are machines. */
function foldAlike(
  list: readonly Problem[],
  { about, alike }: Pick<Words, 'about' | 'alike'>,
  texts: ProblemTexts,
): string[] {
  const groups = alike ? [...groupBy(list, alike).values()] : list.map((problem) => [problem]);
  return groups.flatMap((group) => {
    const [first, ...others] = group;
    if (!first || others.length === 0) return group.map((problem) => about(problem, texts));
    const { node, vmid, detail = '' } = first;
    const vms = `${texts.vm} ${formatVmids(sortedIds(group))}`;
    return [`${node === undefined ? vms : texts.onNode(vms, node)}: ${withoutVmid(detail, vmid)}`];
  });
}

const ofPool: Words['about'] = (problem, texts) => {
  const pool = texts.pool(problem.pool ?? '?');
  return withDetail([who(problem, texts), pool].filter((part) => part !== '').join(', '), problem);
};
const ofStand: Words['about'] = (problem, texts) => withDetail(who(problem, texts), problem);
const nodeOf = ({ node = '?' }: Problem): string => node;
const ofNetwork: Words['about'] = (problem, texts) => texts.onNode(ofStand(problem, texts), nodeOf(problem));

const quoted = (command: string): string => `\`${command}\``;

/** What a command of root names. */
type Known = Problem & { readonly vmid: number };

const isKnown = (problem: Problem): problem is Known => problem.vmid !== undefined;

/** Each guest once. */
function guestsOf(problems: readonly Problem[]): Known[] {
  const byId = new Map(problems.filter(isKnown).map((problem) => [problem.vmid, problem]));
  return [...byId.values()].sort((a, b) => a.vmid - b.vmid);
}

/** One line for each node, with all guests there. */
function perNode(command: (guest: Known) => string): Words['way'] {
  return (problems, { texts }) =>
    [...groupBy(problems, nodeOf)].map(([node, list]) =>
      texts.run(node, quoted(guestsOf(list).map(command).join('; '))),
    );
}

/** Those of which the home is known. */
function migrations(problems: readonly Problem[], texts: ProblemTexts): string[] {
  return [...groupBy(problems.filter(isKnown), nodeOf)].map(([node, list]) => {
    const commands = list.map((guest) => moveCommand(guest, guest.detail ?? '?'));
    return texts.run(node, quoted(commands.join('; ')));
  });
}

function sortedIds(problems: readonly Problem[]): number[] {
  return guestsOf(problems).map(({ vmid }) => vmid);
}

function usersOf(problems: readonly Problem[]): string[] {
  return sortedUnique(problems.flatMap(({ user }) => user ?? []));
}

function labsOf(problems: readonly Problem[]): string {
  return sortedUnique(problems.flatMap(({ lab }) => lab ?? [])).join(', ');
}

const nodesOf = (problems: readonly Problem[]): string[] => sortedUnique(problems.map(nodeOf));

const MOST_NAMED = 20;

/** With the files at hand the very command; else what is to be run with them. */
function deployAgain(
  problems: readonly Problem[],
  { files, texts }: Context,
  more: readonly string[] = [],
): string {
  const users = usersOf(problems);
  const only = users.length > 0 && users.length <= MOST_NAMED ? ['--only', users.join(',')] : [];
  if (!files) return texts.deployAgain(labsOf(problems), shellCommand(...only, ...more));
  const named = files.users.flatMap((file) => ['-u', file]);
  return shellCommand('deploy-stand', 'deploy', '-c', files.lab, ...named, ...only, ...more);
}

/** In a sentence; a command that stands alone is known by how it begins. */
const amid = (way: string): string => (way.startsWith('deploy-stand ') ? quoted(way) : way);

/** A command for each lab. */
function extend(problems: readonly Problem[]): string[] {
  return [...groupBy(problems, ({ lab = '?' }) => lab)].map(([lab, list]) => {
    const users = usersOf(list);
    const named = users.length <= MOST_NAMED ? users.flatMap((user) => ['--user', user]) : [];
    return shellCommand('deploy-stand', 'extend', '--lab', lab, ...named, '--by', '7d');
  });
}

const MOST_COMMANDS = 5;

/** Machines anew, with a command for those of one name. */
function recloneEach(problems: readonly Problem[], { files }: Context): string[] {
  return [
    ...groupBy(problems, ({ lab = '?', machine = '?' }) => JSON.stringify([lab, machine])).values(),
  ].map((list) => {
    const lab = files ? ['-c', files.lab] : UNKNOWN_LAB;
    const machine = list[0]?.machine;
    return quoted(
      recloneCommand({ lab, users: usersOf(list), machines: machine === undefined ? [] : [machine] }),
    );
  });
}

function perUser(command: (user: string) => string): Words['way'] {
  return (problems, { texts }) => {
    const users = usersOf(problems);
    const shown = users.slice(0, MOST_COMMANDS).map((user) => quoted(command(user)));
    const more = users.length - shown.length;
    return more > 0 ? [...shown, texts.andMore(more)] : shown;
  };
}

/** As deploy says it. */
function enable(problems: readonly Problem[], context: Context): readonly string[] {
  const { files, texts } = context;
  const [ours, others] = [true, false].map((isOurs) =>
    problems.filter(({ detail }) => (detail !== undefined) === isOurs),
  ) as [Problem[], Problem[]]; // of two
  const sync = files ? syncCommand(files.lab, files.users) : texts.enabledBySync(quoted(syncCommand()));
  return [...(ours.length === 0 ? [] : [sync]), ...perUser(enableUserCommand)(others, context)];
}

const say =
  (key: keyof PlainTexts): Words['way'] =>
  (_, { texts }) => [texts[key]];
/** Ways out that are the same for all. */
type PlainTexts = Pick<
  ProblemTexts,
  'foreignBridge' | 'cardElsewhere' | 'poolDelegated' | 'nodeOffline' | 'storageFull' | 'taskLog'
>;

const WORDS: Readonly<Record<ProblemKind, Words>> = {
  'card-on-foreign-bridge': { about: ofMachine, way: say('foreignBridge') },
  'machine-missing': { about: ofMachine, way: (problems, context) => [deployAgain(problems, context)] },
  'machine-half-made': {
    about: ofMachine,
    way: (problems, context) => [context.texts.whenIdle(amid(deployAgain(problems, context)))],
  },
  'machine-not-ours': {
    about: ofMachine,
    way: (problems, context) => [context.texts.otherVmid(amid(deployAgain(problems, context)))],
  },
  'machine-left-pool': {
    about: ofMachine,
    way: (problems, context) =>
      problems.map((problem) => {
        const { vmid, user = '?', machine = '?' } = problem;
        const way = deployAgain([problem], context, ['--replace', machine]);
        return context.texts.backIntoPool(String(vmid ?? '?'), user, amid(way));
      }),
  },
  'machine-half-removed': {
    about: ofMachine,
    way: perNode(destroyLockedCommand),
  },
  'machine-in-doubt': {
    about: ofMachine,
    way: (problems, context) => [context.texts.inDoubt(amid(deployAgain(problems, context, ['--adopt'])))],
  },
  'machine-is-template': {
    about: ofMachine,
    way: (problems, context) => [
      ...perNode(noTemplateCommand)(problems, context),
      context.texts.converted(recloneEach(problems, context).join('; ')),
    ],
  },
  'machine-unsealed': { about: ofMachine, way: perNode(destroyCommand) },
  'card-elsewhere': { about: ofMachine, way: say('cardElsewhere') },
  'lock-without-task': { about: ofMachine, way: perNode((guest) => guestCommand(guest, 'unlock')) },
  'bridge-missing': { about: ofNetwork, way: (problems, context) => [deployAgain(problems, context)] },
  'bridge-down': {
    about: ofNetwork,
    way: (problems, { texts }) => nodesOf(problems).map((node) => texts.run(node, quoted('ifreload -a'))),
  },
  'stand-torn': {
    about: (problem, texts) =>
      problem.vmid === undefined
        ? ofStand(problem, texts)
        : `${who(problem, texts)}: ${machineOf(problem, texts)}, ${texts.networksOn(problem.detail ?? '?')}`,
    way: (problems, { texts }) => [texts.torn, ...migrations(problems, texts)],
  },
  'node-offline': { about: nodeOf, way: say('nodeOffline') },
  'node-maintenance': {
    isMild: true,
    about: nodeOf,
    way: (problems, { texts }) =>
      nodesOf(problems).map((node) =>
        texts.afterMaintenance(quoted(`ha-manager crm-command node-maintenance disable ${node}`)),
      ),
  },
  'io-error': {
    about: ofMachine,
    way: (problems, context) => [
      context.texts.mendStorage,
      ...perNode((guest) => guestCommand(guest, 'resume'))(problems, context),
    ],
  },
  'internal-error': { about: ofMachine, way: perNode((guest) => guestCommand(guest, 'reset')) },
  paused: {
    about: ofMachine,
    way: perUser((user) => shellCommand('deploy-stand', 'power', 'resume', '--user', user)),
  },
  'storage-full': {
    about: ({ storage = '?', node, detail = '?' }, texts) =>
      `${node === undefined ? storage : texts.onNode(storage, node)}: ${detail} %`,
    way: say('storageFull'),
  },
  expired: {
    about: ofStand,
    way: (problems) => [shellCommand('deploy-stand', 'cleanup', '--expired'), ...extend(problems)],
  },
  'expires-soon': { isMild: true, about: ofStand, way: extend },
  'task-failed': { isMild: true, about: ofMachine, alike: failureOf, way: say('taskLog') },
  'user-disabled': {
    about: ofStand,
    way: enable,
  },
  'no-access': { about: ofStand, way: (problems, context) => [deployAgain(problems, context)] },
  'still-open': {
    about: ofStand,
    // All of them by name: others of the lab may be open on purpose.
    way: (problems, { texts }) =>
      [...groupBy(problems, ({ lab = '?' }) => lab)].map(([lab, list]) => {
        const users = usersOf(list).flatMap((user) => ['--user', user]);
        const freeze = shellCommand('deploy-stand', 'access', 'freeze', '--lab', lab, ...users);
        return texts.unlessThawing(amid(freeze));
      }),
  },
  'pool-delegated': { about: ofPool, way: say('poolDelegated') },
  'pool-mark-lost': {
    about: ofPool,
    way: (problems, context) => [context.texts.markLost(amid(deployAgain(problems, context, ['--adopt'])))],
  },
};

/** What makes work impossible first. */
const ORDER = Object.keys(WORDS) as ProblemKind[]; // a Record's own keys

export function problemTexts(
  problems: readonly Problem[],
  files?: StatusFiles,
  texts: ProblemTexts = reportEn.problemTexts,
): ProblemText[] {
  const groups = groupBy(problems, ({ kind }) => kind);
  return ORDER.flatMap((kind): ProblemText[] => {
    const list = groups.get(kind);
    if (!list) return [];
    const { way, isMild = false } = WORDS[kind];
    const of = new Set(foldAlike(list, WORDS[kind], texts));
    return [
      {
        kind,
        isMild,
        title: texts.title[kind],
        of: [...of],
        hints: [...new Set(way(list, { files, texts }))],
      },
    ];
  });
}
