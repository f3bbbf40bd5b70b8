/** The dry run: what a plan does, stand by stand, in words. Must not leave out a refusal or a warning. */
import { bridgeNumber } from '../pve-values/bridge-name.ts';
import { nodeOfStep } from '../plan/document/step-traits.ts';
import type { NodesPlan, Plan, PlannedStand, Refusal } from '../plan/document/plan.ts';
import type { Step } from '../plan/document/step.ts';
import { formatVmids } from '../marks/vmid-ranges.ts';
import { escapeControl } from './escape.ts';
import { foldSaid, wordsOfStand } from '../said.ts';
import { wayForAll } from '../shell.ts';
import { sameFor, type FoldOptions } from './fold.ts';
import { labelled, paragraph, renderColumns, type Cell } from './layout.ts';
import { createPaint, type Paint } from './paint.ts';
import {
  sayStandCounts,
  groupAlike,
  viewPlanned,
  type PlannedView,
  nounOf,
  perNodeText,
} from './plan-stands.ts';
import { countOf, countSteps, describeStep, namesOf, type Mark, type Names } from './step-text.ts';

/** Classes up to this size are printed stand by stand. */
const FULL_UP_TO = 20;

/** What is done is read more often than why. */
const NARROW_REASON = 22;

interface Context {
  readonly width: number;
  readonly paint: Paint;
  readonly wide: boolean;
  /** What the plan is of: stands, or users. */
  readonly nouns: readonly [one: string, many: string];
}

function paintMark(mark: Mark, paint: Paint): Cell {
  const brush = { '+': paint.green, '~': paint.yellow, '-': paint.red }[mark];
  return { text: mark, paint: brush };
}

function stepLines(steps: readonly Step[], names: Names, { width, paint }: Context): string[] {
  const rows = steps.map((step): Cell[] => {
    const { mark, text } = describeStep(step, names);
    return [paintMark(mark, paint), { text }, { text: step.reason, paint: paint.dim }];
  });
  return renderColumns(rows, { width, indent: 2, fixed: [0], yielding: { column: 2, to: NARROW_REASON } });
}

/** The same of others: what can be done is done for all of them. */
export function ofAll<R extends { readonly hint?: string }>(
  refusal: R,
  who: string,
  others: readonly { readonly who: string }[],
): R {
  const { hint } = refusal;
  return hint === undefined ? refusal : { ...refusal, hint: wayForAll(hint, who, others) };
}

/** A refusal or an error: what happened, its permanent code, the way out. */
export function refusalLines(
  refusal: Refusal,
  context: { readonly width: number; readonly paint: Paint },
): string[] {
  const { width, paint } = context;
  return [
    ...paragraph(`${refusal.message}  [${refusal.code}]`, { width, indent: 2, hang: 2, paint: paint.red }),
    ...(refusal.hint === undefined ? [] : labelled('hint', refusal.hint, { width, indent: 4 })),
  ];
}

function heading({ stand, fate }: PlannedView, { width, paint }: Context): string[] {
  const facts = [
    `pool ${stand.pool}`,
    ...(stand.node === undefined ? [] : [`node ${stand.node}`]),
    ...(stand.placement === undefined ? [] : [stand.placement]),
    // Of a plan that freezes the step says it.
    ...(stand.frozen === undefined || fate === 'to freeze' ? [] : [`frozen since ${stand.frozen}`]),
  ];
  const text = escapeControl(`${stand.user}  ${fate}: ${facts.join(', ')}`);
  return paragraph(text, { width, hang: 2, paint: paint.bold });
}

function noteLines({ stand }: PlannedView, { width, paint }: Context): string[] {
  return stand.notes.flatMap((note) => labelled('note', note, { width, indent: 2, paint: paint.yellow }));
}

/** What is told already, and of whom. */
type Told = Map<string, string>;

/** What keeps all stands off a node is told of the first one. */
function whyRefused({ refused, left, user }: PlannedStand, told: Told, context: Context): string[] {
  return [refused, left].flatMap((refusal) => {
    if (!refusal) return [];
    const key = JSON.stringify(refusal);
    const first = told.get(key);
    if (first !== undefined && !context.wide)
      return paragraph(escapeControl(`as with ${first}  [${refusal.code}]`), {
        width: context.width,
        indent: 2,
      });
    told.set(key, user);
    return refusalLines(refusal, context);
  });
}

function fullStand(view: PlannedView, told: Told, context: Context): string[] {
  const { stand, steps } = view;
  return [
    '',
    ...heading(view, context),
    ...stepLines(steps, namesOf(stand), context),
    ...whyRefused(stand, told, context),
    ...noteLines(view, context),
  ];
}

function bridgeRange({ stand }: PlannedView): string {
  const names = stand.bridges.map((bridge) => bridge.iface);
  const numbers = names.flatMap((name) => bridgeNumber(name) ?? []);
  if (names.length === 0) return '';
  return numbers.length === names.length ? `vmbr${formatVmids(numbers)}` : names.join(',');
}

function shortStands(views: readonly PlannedView[], first: PlannedView, context: Context): string[] {
  const { width, paint } = context;
  // A stand that is there, is changed, whatever is added to it.
  const marks: Partial<Record<PlannedView['fate'], Mark>> = { new: '+', 'to remove': '-' };
  const mark = paintMark(marks[first.fate] ?? '~', paint);
  const rows = views.map((view): Cell[] => [
    mark,
    { text: view.stand.user },
    { text: `pool ${view.stand.pool}` },
    { text: view.stand.node === undefined ? '' : `node ${view.stand.node}` },
    { text: view.stand.vms.length === 0 ? '' : `VMs ${formatVmids(view.stand.vms.map(({ vmid }) => vmid))}` },
    { text: bridgeRange(view) },
  ]);
  const each = countOf(first.steps.length, 'step', 'steps');
  const [one, many] = context.nouns;
  const intro = `the same for ${countOf(views.length, `more ${one}`, `more ${many}`)} (${each} each):`;
  return [
    '',
    ...paragraph(intro, { width, paint: paint.bold }),
    ...renderColumns(rows, { width, indent: 2, fixed: [0] }),
    ...otherRefusals(views, first, context),
    ...foldedNotes(views, context),
  ];
}

/** Of stands that get the same: what is not refused in the words that the first one has. */
function otherRefusals(views: readonly PlannedView[], first: PlannedView, context: Context): string[] {
  const said = [first, ...views].flatMap(({ stand }) =>
    [stand.refused, stand.left].flatMap((refusal) =>
      refusal ? [{ who: stand.user, text: refusal.message, own: wordsOfStand(stand), refusal }] : [],
    ),
  );
  // What is said of the first one is not said again.
  const hints = new Set([first.stand.refused, first.stand.left].map((refusal) => refusal?.hint));
  return foldSaid(said, false, 0)
    .filter(({ first: { who } }) => who !== first.stand.user)
    .flatMap(({ first: { who, refusal }, others }) => [
      ...refusalLines(
        {
          ...{ code: refusal.code, message: `${who}: ${refusal.message}` },
          ...(refusal.hint === undefined || hints.has(refusal.hint)
            ? {}
            : { hint: wayForAll(refusal.hint, who, others) }),
        },
        context,
      ),
      ...(others.length === 0
        ? []
        : paragraph(escapeControl(sameFor(others)), { width: context.width, indent: 4, hang: 2 })),
    ]);
}

function foldedNotes(views: readonly PlannedView[], { width, paint, wide }: Context): string[] {
  const said = views.flatMap(({ stand }) =>
    stand.notes.map((text) => ({ who: stand.user, text, own: wordsOfStand(stand) })),
  );
  return foldSaid(said, wide).flatMap(({ first, others }) => [
    ...labelled('note', `${first.who}: ${first.text}`, { width, indent: 2, paint: paint.yellow }),
    ...(others.length === 0 ? [] : paragraph(escapeControl(sameFor(others)), { width, indent: 8, hang: 2 })),
  ]);
}

function withWays(view: PlannedView, others: readonly { readonly who: string }[]): PlannedView {
  const { user, refused, left } = view.stand;
  const stand = {
    ...view.stand,
    ...(refused ? { refused: ofAll(refused, user, others) } : {}),
    ...(left ? { left: ofAll(left, user, others) } : {}),
  };
  return { ...view, stand };
}

/** Stands for which nothing is done, and of which the same is said. */
function idleStands(views: readonly PlannedView[], told: Told, context: Context): string[] {
  const said = views.map((view) => ({
    who: view.stand.user,
    text: JSON.stringify([
      ...[view.fate, view.stand.notes],
      ...[view.stand.refused, view.stand.left].map((refusal) => [refusal?.code, refusal?.message]),
    ]),
    hint: [view.stand.refused, view.stand.left].flatMap((refusal) => refusal?.hint ?? []).join('\n'),
    own: wordsOfStand(view.stand),
    view,
  }));
  return foldSaid(said, context.wide).flatMap(({ first, others }) => [
    ...fullStand(withWays(first.view, others), told, context),
    ...(others.length === 0
      ? []
      : paragraph(escapeControl(sameFor(others)), { width: context.width, indent: 2, hang: 2 })),
  ]);
}

/** Stands without work and without anything to say are only counted. */
function isSilent({ stand, steps }: PlannedView): boolean {
  return steps.length === 0 && (stand.refused ?? stand.left) === undefined && stand.notes.length === 0;
}

function standLines(views: readonly PlannedView[], context: Context): string[] {
  const worth = views.filter((view) => !isSilent(view));
  const told: Told = new Map();
  if (context.wide || worth.length <= FULL_UP_TO)
    return worth.flatMap((view) => fullStand(view, told, context));
  const working = worth.filter((view) => view.steps.length > 0);
  const idle = worth.filter((view) => view.steps.length === 0);
  const lines = groupAlike(working).flatMap((group) => {
    const [first, ...others] = group;
    if (!first) return [];
    const full = fullStand(first, told, context);
    return others.length === 0 ? full : [...full, ...shortStands(others, first, context)];
  });
  const many = context.nouns[1];
  const remark = `${many.charAt(0).toUpperCase()}${many.slice(1)} that get the same are shown in one line each; --wide shows every step.`;
  return [
    ...lines,
    ...idleStands(idle, told, context),
    ...(working.length === 0
      ? []
      : ['', ...paragraph(remark, { width: context.width, paint: context.paint.dim })]),
  ];
}

/** Of a class that is not printed stand by stand: why its nodes were chosen, in the words of the last stand there. */
function placementLines(views: readonly PlannedView[], context: Context): string[] {
  const { width, paint } = context;
  const last = new Map<string, string>();
  for (const { stand, fate } of views) {
    if (fate === 'new' && stand.node !== undefined && stand.placement !== undefined)
      last.set(stand.node, stand.placement);
  }
  if (context.wide || views.length <= FULL_UP_TO || last.size === 0) return [];
  const rows = [...last]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([node, why]): Cell[] => [{ text: node }, { text: why, paint: paint.dim }]);
  return [
    '',
    ...paragraph('placed by', { width, paint: paint.bold }),
    ...renderColumns(rows, { width, indent: 2 }),
  ];
}

function sharedLines(plan: Plan, context: Context): string[] {
  const shared = plan.steps.filter(
    (step) => step.user === undefined && (!('nodes' in plan) || nodeOfStep(step) === undefined),
  );
  if (shared.length === 0) return [];
  const title = 'nodes' in plan ? 'cluster' : 'cluster  shared by all stands';
  return [
    '',
    ...paragraph(title, { width: context.width, paint: context.paint.bold }),
    ...stepLines(shared, namesOf(undefined), context),
  ];
}

/** Each node with its steps, what is in the way there, and what stays. */
function nodeLines(plan: NodesPlan, context: Context): string[] {
  const names: Names = { ...namesOf(undefined), where: () => '' };
  return plan.nodes.flatMap(({ node, refused, notes }) => [
    '',
    ...paragraph(escapeControl(node), { width: context.width, paint: context.paint.bold }),
    ...stepLines(
      plan.steps.filter((step) => nodeOfStep(step) === node),
      names,
      context,
    ),
    ...(refused ? refusalLines(refused, context) : []),
    ...notes.flatMap((note) =>
      labelled('note', note, { width: context.width, indent: 2, paint: context.paint.yellow }),
    ),
  ]);
}

function warningLines(plan: Plan, { width, paint }: Context): string[] {
  if (plan.warnings.length === 0) return [];
  return ['', ...plan.warnings.flatMap((text) => labelled('warning', text, { width, paint: paint.yellow }))];
}

function closing(plan: Plan, views: readonly PlannedView[], { width, paint }: Context): string[] {
  const stands =
    'nodes' in plan ? countOf(plan.nodes.length, 'node', 'nodes') : sayStandCounts(views, plan.command);
  const isEmpty = 'nodes' in plan && plan.nodes.length === 0;
  const text =
    plan.steps.length === 0
      ? ['nothing to do', ...(isEmpty ? [] : [stands])].join('; ')
      : `${stands}; ${countSteps(plan.steps)}${perNodeText(views)}`;
  return ['', ...paragraph(text, { width, paint: paint.bold })];
}

/** Where nothing is to be said but that. */
function isIdle({ steps, stands, warnings }: Plan): boolean {
  const isSilent = stands.every(({ notes, refused, left }) => notes.length === 0 && !refused && !left);
  return steps.length === 0 && warnings.length === 0 && isSilent;
}

export interface PlanTextOptions extends FoldOptions {
  /** Why there is nothing to do, where nothing else is to be said. */
  readonly idle?: string | undefined;
}

/** Same plan, same options, same text. Ends without a line break. */
export function renderPlan(plan: Plan, { width, color, wide = false, idle }: PlanTextOptions): string {
  if (idle !== undefined && isIdle(plan)) return paragraph(escapeControl(idle), { width }).join('\n');
  const context: Context = { width, paint: createPaint(color), wide, nouns: nounOf(plan.command) };
  const views = viewPlanned(plan);
  const lab = plan.lab === '' ? '' : ` lab ${plan.lab}`;
  const strategy = plan.command === 'deploy' ? `, strategy ${plan.strategy}` : '';
  const profile = plan.profile === 'confined' ? ', profile confined' : '';
  const action = 'action' in plan ? ` ${plan.action}` : '';
  const title = `Plan: ${plan.command}${action}${lab}${strategy}${profile}`;
  return [
    ...paragraph(escapeControl(title), { width, paint: context.paint.bold }),
    ...sharedLines(plan, context),
    ...('nodes' in plan ? nodeLines(plan, context) : []),
    ...standLines(views, context),
    ...placementLines(views, context),
    ...warningLines(plan, context),
    ...closing(plan, views, context),
  ].join('\n');
}
