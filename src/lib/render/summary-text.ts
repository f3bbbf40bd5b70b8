/** What a run left behind, for the teacher: who has what, how to log in, what is missing. Never shows a password. */
import { hasRole } from '../plan/document/step-traits.ts';
import { nameIn, realmIn } from '../pve-values/userid.ts';
import { groupBy } from '../group.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { Step } from '../plan/document/step.ts';
import type { StandSummary, Summary } from '../outcome/types.ts';
import { escapeControl } from './escape.ts';
import { foldSaid, wordsOfStand } from '../said.ts';
import { sameFor, type FoldOptions } from './fold.ts';
import { labelled, paragraph, renderColumns, ROOMY, type Cell } from './layout.ts';
import { renderNodeSummary } from './node-summary-text.ts';
import { createPaint, type Brush, type Paint } from './paint.ts';
import { nounOf } from './plan-stands.ts';
import { ofAll, refusalLines } from './plan-text.ts';
import { realmLabel } from './realm-label.ts';
import { countOf } from './step-text.ts';
import { titleOf } from './summary-titles.ts';

export interface SummaryOptions extends FoldOptions {
  /** Web interface of the cluster. */
  readonly url?: string;
  /** Where the passwords are. */
  readonly credentialsFile?: string;
  /** False: it has none of these users, who had theirs before, or have them from a directory. */
  readonly hasPasswords?: boolean;
  /** Where those are that this file has none of, each with whose. */
  readonly passwordsElsewhere?: readonly string[];
  /** Why there is nothing to do, where nothing else is to be said. */
  readonly idle?: string;
  /** The commands that finish the rest, in this order. */
  readonly resumeWays?: readonly string[];
}

interface Context {
  readonly width: number;
  readonly paint: Paint;
  readonly wide: boolean;
}

/** Addresses, paths and commands are copied from the terminal, so they stay in one piece. */
const UNWRAPPED = Infinity;

type StandEnd = StandSummary['status'];

const STATUS_WORDS: { readonly [S in StandEnd]: string } = {
  complete: 'complete',
  removed: 'removed',
  unchanged: 'unchanged',
  planned: 'planned',
  'pending-change': 'change pending',
  incomplete: 'incomplete',
  refused: 'refused',
};

function statusBrush(status: StandEnd, paint: Paint): Brush {
  if (status === 'incomplete' || status === 'refused') return paint.red;
  return status === 'planned' || status === 'pending-change' ? paint.yellow : paint.green;
}

const HEAD = ['STUDENT', 'POOL', 'NODE', 'VMID', 'VM', 'STATE', 'BRIDGE', 'RESULT'];
const POOL_COLUMN = 1;
const VMID_COLUMN = 3;
const BRIDGE_COLUMN = 6;

/** Bridges are left out where no stand has any: most commands touch none. Pools, where there is little room and they say nothing more. */
function columnsOf(stands: readonly StandSummary[], width: number): number[] {
  const hasBridges = stands.some(({ bridges }) => bridges.length > 0);
  const hasPools = width >= ROOMY || stands.some(({ user, pool }) => pool !== nameIn(user));
  return [...HEAD.keys()].filter(
    (column) => (column !== BRIDGE_COLUMN || hasBridges) && (column !== POOL_COLUMN || hasPools),
  );
}

/** Nothing is made by `power`: what was to be done is done. */
function wordOf(command: Plan['command'], status: StandEnd): string {
  return command === 'power' && status === 'complete' ? 'done' : STATUS_WORDS[status];
}

function resultOf(command: Plan['command'], { status, frozen }: StandSummary): string {
  const word = wordOf(command, status);
  return frozen === undefined ? word : `${word}, frozen`;
}

/** One line per VM or bridge, whichever are more; the student's own columns are filled on the first. */
function standRows(command: Plan['command'], stand: StandSummary, paint: Paint): Cell[][] {
  const height = Math.max(stand.vms.length, stand.bridges.length, 1);
  return Array.from({ length: height }, (_, line) => {
    const isFirst = line === 0;
    const vm = stand.vms[line];
    const bridge = stand.bridges[line];
    const node = vm?.node ?? stand.node;
    // An empty cell reads as the one above it.
    const isToldAbove = vm === undefined || vm.node === stand.vms[line - 1]?.node;
    return [
      { text: isFirst ? stand.user : '' },
      { text: isFirst ? stand.pool : '' },
      { text: isFirst ? (node ?? '-') : isToldAbove ? '' : vm.node },
      { text: vm === undefined ? '' : String(vm.vmid) },
      { text: vm?.name ?? '' },
      { text: vm?.status ?? '' },
      { text: bridge === undefined ? '' : `${bridge.iface} ${bridge.alias}` },
      { text: isFirst ? resultOf(command, stand) : '', paint: statusBrush(stand.status, paint) },
    ];
  });
}

/** A class of this size is listed, also where nothing happened; of `extend` the machines are not what it is about. */
const FULL_UP_TO = 20;
const fullUpTo = (command: Plan['command']): number => (command === 'extend' ? 0 : FULL_UP_TO);

function table(
  command: Plan['command'],
  all: readonly StandSummary[],
  { width, paint, wide }: Context,
): string[] {
  const unchanged = all.filter(({ status }) => status === 'unchanged').length;
  const folds = !wide && unchanged > fullUpTo(command);
  const stands = folds ? all.filter(({ status }) => status !== 'unchanged') : all;
  const rest = folds
    ? [
        '',
        ...paragraph(
          `${unchanged === 1 ? '1 stand is' : `${unchanged} stands are`} unchanged (--wide lists ${unchanged === 1 ? 'it' : 'them'})`,
          { width },
        ),
      ]
    : [];
  if (stands.length === 0) return rest;
  const head = HEAD.map((text): Cell => ({ text, paint: paint.bold }));
  const columns = columnsOf(stands, width);
  const rows = [head, ...stands.flatMap((stand) => standRows(command, stand, paint))].map((row) =>
    row.filter((_, column) => columns.includes(column)),
  );
  return ['', ...renderColumns(rows, { width, fixed: [columns.indexOf(VMID_COLUMN)] }), ...rest];
}

function realmHints(stands: readonly StandSummary[]): string[] {
  const realms = new Set(stands.map(({ user }) => realmIn(user)));
  return [...realms].sort().map((realm) => {
    const label = realmLabel(realm);
    return `for names ending in @${realm} choose ${label === undefined ? `the realm ${realm}` : `"${label}"`}`;
  });
}

/** What a user was asked to become, in one word or two, by the steps that were done for it. */
function userResult(steps: readonly Step[]): string {
  if (steps.some(({ kind }) => kind === 'user.create')) return 'created';
  if (steps.some((step) => hasRole(step, 'sets-password'))) return 'new password';
  const update = steps.find((step) => step.kind === 'user.update');
  if (update?.enable !== undefined) return update.enable ? 'enabled' : 'disabled';
  return 'changed';
}

/** Of `users`: nothing was placed anywhere. Those for whom nothing was to be done are only counted. */
function usersTable(plan: Plan, stands: readonly StandSummary[], { width, paint }: Context): string[] {
  const changed = stands.filter(({ status }) => status !== 'unchanged');
  if (changed.length === 0) return [];
  const head = ['USER', 'POOL', 'RESULT'].map((text): Cell => ({ text, paint: paint.bold }));
  const steps = groupBy(plan.steps, ({ user }) => user);
  const rows = changed.map(({ user, pool, status }): Cell[] => [
    { text: user },
    { text: pool },
    {
      text: status === 'complete' ? userResult(steps.get(user) ?? []) : STATUS_WORDS[status],
      paint: statusBrush(status, paint),
    },
  ]);
  return ['', ...renderColumns([head, ...rows], { width })];
}

/** Does it end with somebody who can log in, with a password that may be new? */
function givesAccess({ command, steps }: Plan): boolean {
  if (command !== 'users') return command === 'deploy';
  return steps.some((step) => hasRole(step, 'sets-password'));
}

/** Students who can log in now or will be able to after the next run. */
function loginLines(summary: Summary, options: SummaryOptions): string[] {
  const { status, stands } = summary;
  if (status === 'dry-run' || status === 'refused' || stands.length === 0) return [];
  const { width, url, credentialsFile, hasPasswords = true, passwordsElsewhere = [] } = options;
  const passwords = hasPasswords
    ? `in the file ${credentialsFile ?? ''}`
    : ['as they were: nobody got a new one', ...passwordsElsewhere].join('; ');
  const lines = [
    ...(url === undefined ? [] : labelled('Log in', url, { width: UNWRAPPED })),
    ...labelled('User name', 'the part before the last @', { width }),
    ...realmHints(stands).flatMap((hint) => labelled('Realm', hint, { width })),
    ...(credentialsFile === undefined ? [] : labelled('Passwords', passwords, { width: UNWRAPPED })),
  ];
  return ['', ...lines];
}

function unfinishedLines(stands: readonly StandSummary[], context: Context): string[] {
  const { width, paint, wide } = context;
  const unfinished = stands.filter(({ status }) => status === 'incomplete' || status === 'refused');
  if (unfinished.length === 0) return [];
  const said = unfinished.map((stand) => ({
    who: stand.user,
    text: [stand.status, stand.error?.code, stand.error?.message].join('\n'),
    hint: stand.error?.hint,
    own: wordsOfStand(stand),
    stand,
  }));
  const lines = foldSaid(said, wide).flatMap(({ first: { stand }, others }) => [
    ...paragraph(escapeControl(`${stand.user}: ${STATUS_WORDS[stand.status]}`), { width }),
    ...(stand.error === undefined ? [] : refusalLines(ofAll(stand.error, stand.user, others), context)),
    ...(others.length === 0 ? [] : paragraph(escapeControl(sameFor(others)), { width, indent: 2, hang: 2 })),
  ]);
  return ['', ...paragraph('Not finished', { width, paint: paint.bold }), ...lines];
}

function noteLines(stands: readonly StandSummary[], { width, paint, wide }: Context): string[] {
  const said = stands.flatMap((stand) =>
    stand.notes.map((text) => ({ who: stand.user, text, own: wordsOfStand(stand) })),
  );
  if (said.length === 0) return [];
  const notes = foldSaid(said, wide).flatMap(({ first, others }) => [
    ...labelled(first.who, first.text, { width, indent: 2 }),
    ...(others.length === 0 ? [] : paragraph(escapeControl(sameFor(others)), { width, indent: 4, hang: 2 })),
  ]);
  return ['', ...paragraph('Notes', { width, paint: paint.bold }), ...notes];
}

function warningLines({ warnings }: Plan, { width, paint }: Context): string[] {
  if (warnings.length === 0) return [];
  return ['', ...warnings.flatMap((text) => labelled('warning', text, { width, paint: paint.yellow }))];
}

function resumeLines(
  summary: Summary,
  { resumeWays = ['run the same command again; what is done stays as it is'] }: SummaryOptions,
): string[] {
  const isOpen = summary.stands.some(({ status }) => status === 'incomplete' || status === 'refused');
  if (!isOpen && summary.status !== 'interrupted') return [];
  if (summary.status === 'dry-run' || resumeWays.length === 0) return [];
  return ['', ...resumeWays.flatMap((text) => labelled('To finish', text, { width: UNWRAPPED }))];
}

function counts({ stands, steps }: Summary, command: Plan['command']): string {
  const parts = (Object.keys(STATUS_WORDS) as StandEnd[]).flatMap((status) => {
    const count = stands.filter((stand) => stand.status === status).length;
    return count === 0 ? [] : [`${count} ${wordOf(command, status)}`];
  });
  const total = countOf(stands.length, ...nounOf(command));
  const standText = parts.length === 0 ? total : `${total}: ${parts.join(', ')}`;
  const work = [
    ...(steps.done === 0 ? [] : [`${steps.done} done`]),
    ...(steps.failed === 0 ? [] : [`${steps.failed} failed`]),
    ...(steps.skipped === 0 ? [] : [`${steps.skipped} skipped`]),
  ];
  return work.length === 0 ? standText : `${standText}; steps: ${work.join(', ')}`;
}

function isIdleCleanup({ command }: Plan, { status }: Summary): boolean {
  return command === 'cleanup' && status === 'nothing-to-do';
}

/** Same summary, same options, same text. Ends without a line break. */
export function renderSummary(plan: Plan, summary: Summary, options: SummaryOptions): string {
  if ('nodes' in summary) return renderNodeSummary(plan, summary, options);
  const { width, wide = false } = options;
  const context: Context = { width, paint: createPaint(options.color), wide };
  const notes = noteLines(summary.stands, context);
  // A nightly run with nothing to do is one line in its log.
  if (isIdleCleanup(plan, summary) && notes.length === 0 && plan.warnings.length === 0)
    return paragraph(escapeControl(options.idle ?? titleOf(plan, summary)), { width }).join('\n');
  // Where nothing was done, why is the answer.
  const isReason = summary.status === 'nothing-to-do';
  return [
    ...paragraph(escapeControl(titleOf(plan, summary)), { width, paint: context.paint.bold }),
    ...(isReason ? notes : []),
    ...(plan.command === 'users'
      ? usersTable(plan, summary.stands, context)
      : table(plan.command, summary.stands, context)),
    ...(givesAccess(plan) ? loginLines(summary, options) : []),
    ...unfinishedLines(summary.stands, context),
    ...(isReason ? [] : notes),
    ...warningLines(plan, context),
    ...resumeLines(summary, options),
    '',
    ...paragraph(counts(summary, plan.command), { width, paint: context.paint.bold }),
  ].join('\n');
}
