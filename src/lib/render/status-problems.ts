/** What is wrong, in words, and the way out of it; what is true of many is said once. Judges nothing. */
import { groupBy } from '../group.ts';
import { sortedUnique } from '../order.ts';
import type { Problem, ProblemKind } from '../plan/views/status-types.ts';
import { shellCommand } from '../shell.ts';

export interface ProblemText {
  readonly kind: ProblemKind;
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
  readonly title: string;
  readonly about: (problem: Problem) => string;
  readonly way: (problems: readonly Problem[], files: StatusFiles | undefined) => readonly string[];
}

function who({ user, lab }: Problem): string {
  return [user, lab === undefined ? undefined : `lab ${lab}`].filter((part) => part !== undefined).join(', ');
}

function machineOf({ machine, vmid, node }: Problem): string {
  const name = machine ?? 'VM';
  return `${name} (${vmid ?? '?'}${node === undefined ? '' : ` on ${node}`})`;
}

const ofMachine = (problem: Problem): string =>
  `${who(problem)}: ${machineOf(problem)}${problem.detail === undefined ? '' : `: ${problem.detail}`}`;
const ofStand = (problem: Problem): string =>
  problem.detail === undefined ? who(problem) : `${who(problem)}: ${problem.detail}`;

/** One line for each node, with all VMIDs there. */
function perNode(problems: readonly Problem[], command: (vmid: number) => string): string[] {
  return [...groupBy(problems, ({ node = '?' }) => node)].map(
    ([node, list]) => `on ${node}: \`${sortedIds(list).map(command).join('; ')}\``,
  );
}

function sortedIds(problems: readonly Problem[]): number[] {
  return [...new Set(problems.flatMap(({ vmid }) => vmid ?? []))].sort((a, b) => a - b);
}

function usersOf(problems: readonly Problem[]): string[] {
  return sortedUnique(problems.flatMap(({ user }) => user ?? []));
}

function labsOf(problems: readonly Problem[]): string[] {
  return sortedUnique(problems.flatMap(({ lab }) => lab ?? []));
}

const MOST_NAMED = 20;

/** With the files at hand the very command; else what is to be run with them. */
function deployAgain(problems: readonly Problem[], files: StatusFiles | undefined): string[] {
  const users = usersOf(problems);
  const only = users.length > 0 && users.length <= MOST_NAMED ? ['--only', users.join(',')] : [];
  if (files) {
    const named = files.users.flatMap((file) => ['-u', file]);
    return [shellCommand('deploy-stand', 'deploy', '-c', files.lab, ...named, ...only)];
  }
  const labs = labsOf(problems);
  return [
    `run deploy again with the files of lab ${labs.join(', ')}${only.length > 0 ? ` and ${only.join(' ')}` : ''}`,
  ];
}

const nodeOf = ({ node = '?' }: Problem): string => node;

const WORDS: Readonly<Record<ProblemKind, Words>> = {
  'card-on-foreign-bridge': {
    title: "card on another stand's bridge",
    about: ofMachine,
    way: () => [
      'put it back where it belongs, or unplug it: in PVE under Hardware of the VM; deploy changes no card',
    ],
  },
  'machine-missing': { title: 'machine missing', about: ofMachine, way: deployAgain },
  'machine-half-made': {
    title: 'machine half made',
    about: ofMachine,
    way: (problems, files) => [`when no deploy is running, ${deployAgain(problems, files).join('')}`],
  },
  'machine-not-ours': {
    title: "somebody else's guest stands at a claimed VMID",
    about: ofMachine,
    way: (problems, files) => [`another VMID is taken: ${deployAgain(problems, files).join('')}`],
  },
  'machine-left-pool': {
    title: 'machine taken out of its pool',
    about: ofMachine,
    way: (problems) =>
      problems.map(
        ({ vmid, user }) => `put VM ${vmid ?? '?'} back into the pool of ${user ?? '?'}, or remove it`,
      ),
  },
  'machine-half-removed': {
    title: 'machine that a failed clone or removal left behind',
    about: ofMachine,
    way: (problems) => perNode(problems, (vmid) => `qm unlock ${vmid} && qm destroy ${vmid} --purge`),
  },
  'machine-in-doubt': {
    title: 'claimed by 0.1.0, and nothing shows whether it is ours',
    about: ofMachine,
    way: () => ['take it over with deploy --adopt, or take it out of the pool'],
  },
  'card-elsewhere': {
    title: 'card that is not where the lab has it',
    about: ofMachine,
    way: () => ['what a student changed stays so; to put it back: in PVE under Hardware of the VM'],
  },
  'lock-without-task': {
    title: 'locked, and no task is at work',
    about: ofMachine,
    way: (problems) => perNode(problems, (vmid) => `qm unlock ${vmid}`),
  },
  'bridge-missing': {
    title: 'network without a bridge',
    about: (problem) => `${ofStand(problem)} on ${nodeOf(problem)}`,
    way: deployAgain,
  },
  'bridge-down': {
    title: 'bridge down',
    about: (problem) => `${ofStand(problem)} on ${nodeOf(problem)}`,
    way: (problems) => sortedUnique(problems.map(nodeOf)).map((node) => `on ${node}: \`ifreload -a\``),
  },
  'stand-torn': {
    title: 'stand torn over nodes',
    about: ofStand,
    way: () => ['balance puts such stands together; by hand: migrate all of its machines to one node'],
  },
  'node-offline': {
    title: 'node offline',
    about: nodeOf,
    way: () => ['bring it back; its machines are counted, and no second copy is made'],
  },
  'node-maintenance': {
    title: 'node in maintenance',
    about: nodeOf,
    way: (problems) =>
      sortedUnique(problems.map(nodeOf)).map(
        (node) => `when it is over: \`ha-manager crm-command node-maintenance disable ${node}\``,
      ),
  },
  'io-error': {
    title: 'stopped by an I/O error',
    about: ofMachine,
    way: (problems) => [
      'its storage is full or gone: mend that, then',
      ...perNode(problems, (vmid) => `qm resume ${vmid}`),
    ],
  },
  'internal-error': {
    title: 'stopped by an internal error of its virtual machine',
    about: ofMachine,
    way: (problems) => perNode(problems, (vmid) => `qm reset ${vmid}`),
  },
  paused: {
    title: 'paused',
    about: ofMachine,
    way: (problems) => perNode(problems, (vmid) => `qm resume ${vmid}`),
  },
  'storage-full': {
    title: 'storage over 90 %',
    about: ({ storage = '?', node, detail = '?' }) =>
      `${storage}${node === undefined ? '' : ` on ${node}`}: ${detail} %`,
    way: () => ['remove what is not needed there; machines stop with an I/O error when it is full'],
  },
  expired: {
    title: 'expired',
    about: ofStand,
    way: () => [shellCommand('deploy-stand', 'cleanup', '--expired')],
  },
  'expires-soon': {
    title: 'expires within 7 days',
    about: ofStand,
    way: (problems) => [
      `set a later \`expires:\` for lab ${labsOf(problems).join(', ')} or its users, and deploy again`,
    ],
  },
  'task-failed': {
    title: 'task failed',
    about: ofMachine,
    way: () => ["its log is among the VM's tasks; what was to be done is to be done again"],
  },
  'user-disabled': {
    title: 'account disabled',
    about: ofStand,
    way: (problems) =>
      perUser(problems, (user) => shellCommand('pveum', 'user', 'modify', user, '--enable', '1')),
  },
  'no-access': { title: 'deployed, and its user has no rights on it', about: ofStand, way: deployAgain },
};

const MOST_COMMANDS = 5;

function perUser(problems: readonly Problem[], command: (user: string) => string): string[] {
  const users = usersOf(problems);
  const shown = users.slice(0, MOST_COMMANDS).map((user) => `\`${command(user)}\``);
  const more = users.length - shown.length;
  return more > 0 ? [...shown, `and so for ${more} more`] : shown;
}

/** What makes work impossible first. */
const ORDER = Object.keys(WORDS) as ProblemKind[]; // a Record's own keys

export function problemTexts(problems: readonly Problem[], files?: StatusFiles): ProblemText[] {
  const groups = groupBy(problems, ({ kind }) => kind);
  return ORDER.flatMap((kind): ProblemText[] => {
    const list = groups.get(kind);
    if (!list) return [];
    const { title, about, way } = WORDS[kind];
    return [{ kind, title, of: [...new Set(list.map(about))], hints: [...new Set(way(list, files))] }];
  });
}
