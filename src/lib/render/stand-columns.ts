/** The columns of what is told of stands: a row each, with its head and what stands in it at a terminal, in Markdown and on a page. */
import type { StandStatus } from '../plan/views/status-types.ts';
import { escapeHtml } from './escape-html.ts';
import type { ReportTexts } from './languages/report-texts.ts';
import { accessCell, brushOf, machineTable, orNothing, type TerminalColumn } from './machine-columns.ts';
import type { FilledColumn } from './page.ts';
import { machinesText, moodOf, shareOf, sayAge } from './status-cells.ts';

/** `undefined`: it is not shown there. */
interface StandColumn {
  readonly head: (texts: ReportTexts) => string;
  readonly terminal: TerminalColumn<StandStatus> | undefined;
  readonly markdown: ((stand: StandStatus, texts: ReportTexts) => string) | undefined;
  readonly page: Omit<FilledColumn<StandStatus>, 'head' | 'cell'> & {
    readonly cell: (stand: StandStatus, texts: ReportTexts) => ReturnType<FilledColumn<StandStatus>['cell']>;
  };
}

function machinesHtml(stand: StandStatus, texts: ReportTexts): string {
  const words = escapeHtml(machinesText(stand, texts.states));
  const text = `<span class="${moodOf(stand.machines)}">${words}</span>`;
  if (stand.machines.length === 0) return text;
  return `<details><summary>${text}</summary><div class="tight">${machineTable(stand.machines, texts)}</div></details>`;
}

const key = (value: number | null): string => (value === null ? '' : String(Math.round(value * 1000) / 1000));

export const STAND_COLUMNS: readonly StandColumn[] = [
  {
    head: ({ student }) => student,
    terminal: { head: 'STUDENT', folds: true, cell: ({ user }) => ({ text: user }) },
    markdown: ({ user }) => user,
    page: { share: 14, cell: ({ user }) => ({ html: escapeHtml(user) }) },
  },
  {
    head: ({ lab }) => lab,
    // There each lab has a table of its own.
    terminal: undefined,
    markdown: undefined,
    page: { share: 8, cell: ({ lab }) => ({ html: escapeHtml(lab) }) },
  },
  {
    head: ({ node }) => node,
    terminal: { head: 'NODE', cell: ({ nodes }) => ({ text: nodes.length === 0 ? '-' : nodes.join(', ') }) },
    markdown: ({ nodes }) => nodes.join(', '),
    page: { share: 7, cell: ({ nodes }) => ({ html: escapeHtml(nodes.join(', ')) }) },
  },
  {
    head: ({ machines }) => machines,
    terminal: {
      ...{ head: 'MACHINES', folds: true },
      cell: (stand, paint) => ({
        text: machinesText(stand),
        isList: true,
        ...brushOf(stand.machines, paint),
      }),
    },
    markdown: (stand, { states }) => machinesText(stand, states),
    page: {
      ...{ share: 20, isWhole: true },
      cell: (stand, texts) => ({ html: machinesHtml(stand, texts), key: String(stand.running) }),
    },
  },
  {
    head: ({ up }) => up,
    terminal: { head: 'UP', isQuiet: true, cell: ({ uptime }) => ({ text: sayAge(uptime) }) },
    markdown: ({ uptime }, { states }) => sayAge(uptime, states.span),
    page: {
      share: 9,
      cell: ({ uptime }, { states }) => ({ html: orNothing(sayAge(uptime, states.span)), key: key(uptime) }),
    },
  },
  {
    head: ({ cpu }) => cpu,
    terminal: { head: 'CPU', isQuiet: true, isSpared: true, cell: ({ cpu }) => ({ text: shareOf(cpu) }) },
    markdown: ({ cpu }) => shareOf(cpu),
    page: { share: 6, cell: ({ cpu }) => ({ html: orNothing(shareOf(cpu)), key: key(cpu) }) },
  },
  {
    head: ({ memory }) => memory,
    terminal: {
      ...{ head: 'MEM', isQuiet: true, isSpared: true },
      cell: ({ memory }) => ({ text: shareOf(memory) }),
    },
    markdown: ({ memory }) => shareOf(memory),
    page: { share: 8, cell: ({ memory }) => ({ html: orNothing(shareOf(memory)), key: key(memory) }) },
  },
  {
    head: ({ expires }) => expires,
    terminal: { head: 'EXPIRES', isQuiet: true, cell: ({ expires }) => ({ text: expires ?? '-' }) },
    markdown: ({ expires }) => expires ?? '-',
    page: { share: 10, cell: ({ expires }) => ({ html: escapeHtml(expires ?? '') }) },
  },
  {
    head: ({ access }) => access,
    terminal: { head: 'ACCESS', cell: accessCell },
    markdown: ({ access }, { accessOf }) => accessOf[access],
    page: {
      share: 8,
      cell: ({ access }, { accessOf }) => ({
        html: access === 'open' ? accessOf[access] : `<span class="warn">${accessOf[access]}</span>`,
      }),
    },
  },
  {
    head: ({ problems }) => problems,
    terminal: {
      ...{ head: 'PROBLEMS', isQuiet: true, isSpared: true },
      cell: ({ problems }, paint) =>
        problems === 0 ? { text: '-' } : { text: String(problems), paint: paint.red },
    },
    markdown: ({ problems }) => String(problems),
    page: {
      share: 10,
      cell: ({ problems: count }) =>
        count === 0
          ? { html: '', key: '' }
          : { html: `<span class="bad">${count}</span>`, key: String(count) },
    },
  },
];

/** Those of the page. */
export function pageColumns(texts: ReportTexts): readonly FilledColumn<StandStatus>[] {
  return STAND_COLUMNS.map(({ head, page }) => ({
    ...page,
    head: head(texts),
    cell: (stand) => page.cell(stand, texts),
  }));
}
