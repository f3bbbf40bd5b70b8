/** What balance found and did: loads before and after, moves with their reasons, who stays and why. Pure. */
import { GIB, gib, MIB } from '../bytes.ts';
import { platformIn, PLATFORMS } from '../config/connections/platform.ts';
import { groupBy } from '../group.ts';
import type { BalanceSummary, MoveSummary } from '../outcome/types.ts';
import type {
  BalanceReport,
  NodeLoad,
  NodeReport,
  PlannedMove,
  RejectedMove,
} from '../plan/document/balance-report.ts';
import type { BalancePlan } from '../plan/document/plan.ts';
import { escapeControl } from './escape.ts';
import { DEFAULT_LANGUAGE, type Language } from './languages/codes.ts';
import { BALANCE_LANGUAGES } from './languages/languages.ts';
import type { BalanceTexts } from './languages/balance-texts.ts';
import { labelled, paragraph, renderColumns, type Cell, type RenderOptions } from './layout.ts';
import { createPaint, type Brush, type Paint } from './paint.ts';
import { refusalLines } from './plan-text.ts';
import { countSteps, storagePairs } from './step-text.ts';

interface Context {
  readonly width: number;
  readonly paint: Paint;
  readonly texts: BalanceTexts;
}

export type BalanceOptions = RenderOptions & { readonly language?: Language };

interface View {
  readonly report: BalanceReport;
  readonly plan: BalancePlan;
  readonly summary: BalanceSummary;
  readonly context: Context;
}

const BAR = 10;
/** A quiet node is shown only while there are few of them. */
const FEW_NODES = 8;

function percent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`;
}

function bar(fraction: number): string {
  const filled = Math.max(0, Math.min(BAR, Math.round(fraction * BAR)));
  return '█'.repeat(filled) + '░'.repeat(BAR - filled);
}

export function sizeOf(bytes: number): string {
  return bytes >= GIB / 10 ? gib(bytes) : `${Math.round(bytes / MIB)} MiB`;
}

/** Where CPU use is not measured, the virtual CPUs per core stand in its place. */
function loadCells(load: NodeLoad, paint: Brush, isMeasured: boolean): Cell[] {
  const shown = (value: number): Cell => ({ text: `${bar(value)} ${percent(value).padStart(5)}`, paint });
  const vcpus = load.vcpusPerCore === undefined ? '-' : load.vcpusPerCore.toFixed(2);
  return [isMeasured ? shown(load.cpu) : { text: vcpus, paint }, shown(load.memory)];
}

function stateOf({ online, maintenance, overloaded }: NodeReport, texts: BalanceTexts): string {
  if (!online) return texts.offline;
  return [...(maintenance ? [texts.maintenance] : []), ...overloaded.map(texts.breach)].join(', ');
}

function severityBrush({ severity }: NodeLoad, paint: Paint): Brush {
  if (severity > 1) return paint.red;
  return severity > 0.9 ? paint.yellow : paint.green;
}

function isTouched(node: NodeReport): boolean {
  return (
    node.guests.before !== node.guests.after ||
    !node.online ||
    node.maintenance ||
    node.overloaded.length > 0 ||
    node.before.cpu !== node.after.cpu
  );
}

function nodeRows(
  node: NodeReport,
  { paint, texts }: Context,
  { later, isMeasured }: { readonly later: string; readonly isMeasured: boolean },
): Cell[][] {
  const row = (when: string, load: NodeLoad, guests: number, isFirst: boolean): Cell[] => [
    { text: isFirst ? node.node : '', paint: paint.bold },
    { text: when },
    ...loadCells(load, severityBrush(load, paint), isMeasured),
    { text: load.loadPerCore === undefined ? '-' : load.loadPerCore.toFixed(2) },
    { text: String(guests) },
    { text: isFirst ? stateOf(node, texts) : '', paint: paint.yellow },
  ];
  const before = row(texts.before, node.before, node.guests.before, true);
  const changes = node.guests.before !== node.guests.after || node.before.cpu !== node.after.cpu;
  return changes ? [before, row(later, node.after, node.guests.after, false)] : [before];
}

function range(nodes: readonly NodeReport[], key: 'cpu' | 'memory'): string {
  const values = nodes.map((node) => node.before[key]);
  return `${percent(Math.min(...values)).replace(' %', '')}–${percent(Math.max(...values))}`;
}

function nodeLines({ report, summary, context }: View): string[] {
  const { width, paint, texts } = context;
  const isMeasured = PLATFORMS[platformIn(report)].hasCpuUse;
  const isAsPlanned = summary.moves.every(({ status }) => status === 'moved' || status === 'planned');
  const later = isAsPlanned ? texts.after : texts.planned;
  const shown = report.nodes.length <= FEW_NODES ? report.nodes : report.nodes.filter(isTouched);
  const others = report.nodes.filter((node) => !shown.includes(node));
  const [node, cpu, memory, load, guests] = texts.head;
  const words = [node, '', isMeasured ? cpu : texts.vcpus, memory, load, guests, ''];
  const head = words.map((text): Cell => ({
    text,
    paint: paint.bold,
  }));
  const rows = [head, ...shown.flatMap((one) => nodeRows(one, context, { later, isMeasured }))];
  const rest =
    others.length === 0
      ? []
      : [texts.otherNodes(others.length, range(others, 'cpu'), range(others, 'memory'))];
  return ['', ...renderColumns(rows, { width }), ...rest.map(paint.dim)];
}

function moveBrush(status: MoveSummary['status'], paint: Paint): Brush {
  if (status === 'moved') return paint.green;
  return status === 'planned' ? paint.yellow : paint.red;
}

function guestText(guest: MoveSummary['guests'][number], isUnit: boolean, texts: BalanceTexts): string {
  const name = `VM ${guest.vmid}${guest.name === '' ? '' : ` (${guest.name})`}`;
  return isUnit ? `${name}: ${texts.guestWord(guest.status, guest.node)}` : '';
}

/** Storages that are called differently there, once for all guests of the unit. */
function storageLines({ guests }: PlannedMove, { width, paint, texts }: Context): string[] {
  const pairs = storagePairs(guests.map(({ storageMap }) => storageMap));
  if (pairs === '') return [];
  return paragraph(escapeControl(texts.disks(pairs)), { width, indent: 6, paint: paint.dim });
}

/** What nobody may learn only when it happens. */
function restartLines({ guests }: PlannedMove, { width, paint, texts }: Context): string[] {
  return guests
    .filter(({ restarts }) => restarts === true)
    .flatMap(({ vmid, bytes }) =>
      paragraph(texts.restarts(vmid, bytes > 0 ? sizeOf(bytes) : ''), {
        width,
        indent: 6,
        paint: paint.yellow,
      }),
    );
}

interface Told {
  readonly title: string;
  readonly why: string;
  /** What else is known of it beforehand. */
  readonly notes?: readonly string[];
}

/** Who is where is told of units that did not arrive as a whole, and of all their members. */
function endLines(told: Told, ended: MoveSummary | undefined, { unit, context }: Ended): string[] {
  const { width, paint, texts } = context;
  const status = ended?.status ?? 'planned';
  const isWhole = status === 'moved' || status === 'planned';
  const members = (ended?.guests ?? []).map((guest) => guestText(guest, unit !== 'guest' || !isWhole, texts));
  return [
    ...labelled(texts.moveWord(status), escapeControl(told.title), {
      width,
      indent: 2,
      paint: moveBrush(status, paint),
    }),
    ...paragraph(told.why, { width, indent: 6, paint: paint.dim }),
    ...(told.notes ?? []),
    ...(isWhole ? [] : members.flatMap((text) => paragraph(escapeControl(text), { width, indent: 6 }))),
    ...(ended?.error === undefined ? [] : refusalLines(ended.error, context)),
  ];
}

interface Ended {
  readonly unit: MoveSummary['unit'];
  readonly context: Context;
}

function moveLines(move: PlannedMove, ended: MoveSummary | undefined, context: Context): string[] {
  const ways = move.guests.some((guest) => guest.ha) ? context.texts.byHa : '';
  return endLines(
    {
      title: `${move.name}: ${move.from.join(', ')} → ${move.to}, ${sizeOf(move.bytes)}${ways}`,
      why: context.texts.because(move),
      notes: [...restartLines(move, context), ...storageLines(move, context)],
    },
    ended,
    { unit: move.unit, context },
  );
}

/** Of a plan that was made in the same run because a target failed. */
function laterLines(ended: MoveSummary, context: Context): string[] {
  const { unit, name, to, bytes, status } = ended;
  const size = status === 'moved' ? `, ${sizeOf(bytes)}` : '';
  return endLines({ title: `${name}: → ${to}${size}`, why: context.texts.anew }, ended, { unit, context });
}

/** How good the search was, where it did not find the cheapest for certain. */
function gapText({ gap = 0 }: BalanceReport, texts: BalanceTexts): string {
  return gap > 0 ? texts.gap(Math.ceil(gap * 100)) : '';
}

function moveSection({ report, summary, context }: View): string[] {
  if (report.moves.length === 0) return [];
  // Those of the plan come first, in its order; the same guest may be among those of later ones.
  const later = summary.moves.slice(report.moves.length);
  const { width, paint, texts } = context;
  return [
    '',
    ...paragraph(`${texts.moves}${gapText(report, texts)}`, { width, paint: paint.bold }),
    ...report.moves.flatMap((move, at) => moveLines(move, summary.moves[at], context)),
    ...later.flatMap((ended) => laterLines(ended, context)),
  ];
}

/** Why each node is no target: nodes with one obstacle are told by the first of them. */
function whyOf(move: RejectedMove, texts: BalanceTexts): string {
  const { targets = [] } = move;
  const said = texts.rejected(move);
  if (targets.length === 0) return said;
  const each = targets.map(({ nodes: [first = '', ...others], ...why }) => {
    const where = others.length === 0 ? first : texts.andMore(first, others.length);
    return `${where}: ${texts.rejected(why)}`;
  });
  return `${said} (${each.join('; ')})`;
}

/** Equal reasons are told once, the most frequent first; all are in the JSON document. */
function rejectedSection({ report, context: { width, paint, texts } }: View): string[] {
  const groups = groupBy(report.rejected, ({ code }) => code);
  if (groups.size === 0) return [];
  const lines = [...groups]
    .sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
    .flatMap(([code, moves]) => {
      const [first] = moves;
      if (!first) return [];
      const who = moves.length === 1 ? first.name : texts.several(moves.length, first.name);
      return labelled(code, `${who}: ${whyOf(first, texts)}`, { width, indent: 2 });
    });
  return ['', ...paragraph(texts.notMoved, { width, paint: paint.bold }), ...lines];
}

function stuckSection({ report, context: { width, paint, texts } }: View): string[] {
  if (report.stuck.length === 0) return [];
  const lines = report.stuck.flatMap(({ lab, user, nodes, reason }) =>
    labelled(`${lab} of ${user} on ${nodes.join(', ')}`, reason, { width, indent: 2 }),
  );
  return ['', ...paragraph(texts.stuck, { width, paint: paint.bold }), ...lines];
}

function warningLines({ report, plan, context: { width, paint, texts } }: View): string[] {
  const gone = report.historyGoneBefore;
  const warnings = [
    ...plan.warnings,
    ...(plan.balance.gaps ?? []),
    ...(gone === undefined ? [] : [texts.historyGone(gone)]),
  ];
  if (warnings.length === 0) return [];
  return ['', ...warnings.flatMap((text) => labelled(texts.warning, text, { width, paint: paint.yellow }))];
}

/** Those that the plan leaves there, and those that it could not get away. */
function remainingLines({ report, summary, context: { width, paint, texts } }: View): string[] {
  const { evacuate = [] } = report;
  const notGone = summary.moves
    .flatMap(({ guests }) => guests)
    .filter(
      ({ status, node }) => (status === 'failed' || status === 'skipped') && evacuate.includes(node ?? ''),
    );
  const ids = new Set([...(report.remaining ?? []), ...notGone.map(({ vmid }) => vmid)]);
  const remaining = [...ids].sort((a, b) => a - b);
  if (remaining.length === 0) return [];
  const text = texts.stays(remaining.length, evacuate.join(', '), remaining.join(', '));
  return ['', ...paragraph(text, { width, paint: paint.yellow })];
}

function figures({ report, summary, context: { texts } }: View): string {
  const { moves } = summary;
  const guests = moves.flatMap((move) => move.guests);
  const count = (status: string): number => guests.filter((guest) => guest.status === status).length;
  const bytes = moves.reduce((sum, move) => sum + move.bytes, 0);
  const { before, after } = report.imbalance;
  const isAsPlanned = guests.every(({ status }) => status === 'moved' || status === 'planned');
  return [
    ...(count('planned') > 0 ? [texts.toMove(count('planned'))] : []),
    ...(count('moved') > 0 ? [texts.moved(count('moved'))] : []),
    ...(count('failed') > 0 ? [texts.failed(count('failed'))] : []),
    ...(count('skipped') > 0 ? [texts.notDone(count('skipped'))] : []),
    ...(bytes > 0 ? [sizeOf(bytes)] : []),
    isAsPlanned && guests.length > 0
      ? `${texts.imbalance} ${before.toFixed(2)} → ${after.toFixed(2)}`
      : `${texts.imbalance} ${before.toFixed(2)}`,
    ...(report.deferred > 0 ? [texts.deferred(report.deferred)] : []),
  ].join(', ');
}

/** A run that moved something is told by how it ended, all others by what was found. */
function titleOf(view: View): string {
  const { report, summary, context } = view;
  const { texts } = context;
  const isDry = summary.status === 'dry-run' && report.moves.length > 0;
  const said = texts.title(summary.status) ?? `${isDry ? texts.dryRun : ''}${texts.verdict(report)}`;
  return escapeControl(`${said} (${figures(view)})`);
}

function stepLines({ plan, context: { width, paint } }: View): string[] {
  const isPlain = plan.steps.every((step) => step.kind === 'vm.migrate');
  return isPlain ? [] : ['', ...paragraph(countSteps(plan.steps), { width, paint: paint.dim })];
}

/** One line when there is nothing to say. Same plan, same summary, same text; ends without a line break. */
export function renderBalance(plan: BalancePlan, summary: BalanceSummary, options: BalanceOptions): string {
  const report = plan.balance;
  const context: Context = {
    width: options.width,
    paint: createPaint(options.color),
    texts: BALANCE_LANGUAGES[options.language ?? DEFAULT_LANGUAGE],
  };
  const view: View = { report, plan, summary, context };
  const title = titleOf(view);
  const isQuiet = report.moves.length === 0 && report.evacuate === undefined;
  const isCalm = isQuiet && report.nodes.every((node) => node.overloaded.length === 0);
  if (isCalm)
    return [
      ...paragraph(title, { width: options.width }),
      ...stepLines(view),
      ...warningLines(view),
      ...stuckSection(view),
    ].join('\n');
  return [
    ...paragraph(title, { width: options.width, paint: context.paint.bold }),
    ...nodeLines(view),
    ...moveSection(view),
    ...stepLines(view),
    ...rejectedSection(view),
    ...stuckSection(view),
    ...remainingLines(view),
    ...warningLines(view),
  ].join('\n');
}
