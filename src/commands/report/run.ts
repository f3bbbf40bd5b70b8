/** What `report` does with its flags: look, write one file; nothing is changed. */
import { UsageError } from '../../lib/errors.ts';
import { viewReport } from '../../lib/plan/views/report.ts';
import type { ClassReport } from '../../lib/plan/views/report-types.ts';
import type { ChecksReport } from '../../lib/plan/views/checks-types.ts';
import { viewTopology } from '../../lib/plan/views/topology.ts';
import type { Language } from '../../lib/render/languages/codes.ts';
import { PAGE_HEAD } from '../../lib/render/page.ts';
import { renderReportHtml } from '../../lib/render/report-html.ts';
import {
  CSV_HEAD,
  JSON_HEAD,
  MARKDOWN_HEAD,
  renderReportCsv,
  renderReportJson,
  renderReportMarkdown,
  toReportDocument,
} from '../../lib/render/report-lists.ts';
import type { ReportOptions } from '../../lib/render/report-parts.ts';
import { countOf } from '../../lib/render/step-text.ts';
import { loadCheckResults } from '../../lib/workflow/check-results.ts';
import { assertShownFile, writeShownFile } from '../../lib/workflow/shown-file.ts';
import { lookAtStands } from '../../lib/workflow/status.ts';
import { runChanging } from '../cluster-command.ts';
import { DOCUMENT_FORMATS, formatByName, type DocumentFormat } from '../format-by-name.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { readSelection, statusFiles } from '../selection.ts';
import type { SelectionFlags } from '../selection-options.ts';

export interface ReportFlags extends GlobalFlags, SelectionFlags {
  readonly out: string;
  readonly format?: DocumentFormat;
  readonly ips?: true;
  readonly snapshots?: true;
  readonly since: number;
  readonly checks?: string;
  readonly language: Language;
}

interface Kind {
  /** How such a file begins: what begins otherwise is not written over. */
  readonly head: string;
  readonly render: (report: ClassReport, options: ReportOptions) => string;
}

const KINDS: Readonly<Record<DocumentFormat, Kind>> = {
  html: { head: PAGE_HEAD, render: renderReportHtml },
  markdown: { head: MARKDOWN_HEAD, render: renderReportMarkdown },
  csv: { head: CSV_HEAD, render: renderReportCsv },
  json: { head: JSON_HEAD, render: renderReportJson },
};

function formatOf({ format, out }: ReportFlags): DocumentFormat {
  const found = format ?? formatByName(out, DOCUMENT_FORMATS);
  if (found) return found;
  throw new UsageError('REPORT_FORMAT', `the name ${out} does not say in which format`, {
    hint: 'name a file that ends in .html, .md, .csv or .json, or add --format; a browser prints the .html as PDF',
  });
}

/** The other kinds are lists of machines; of checks `check --out` writes its own. */
function checksFor({ checks }: ReportFlags, format: DocumentFormat): ChecksReport | undefined {
  if (checks === undefined) return undefined;
  if (format === 'html') return loadCheckResults(checks);
  throw new UsageError('REPORT_CHECKS', '--checks is for pages', {
    hint: 'name a page with --out class.html; `deploy-stand check --out results.csv` writes a list of checks',
  });
}

function checksText(checks: ChecksReport | undefined): string {
  if (!checks) return '';
  const { failed, notRun } = checks.totals;
  const unknown = notRun === 0 ? '' : `, ${notRun} could not be run`;
  return `; ${countOf(failed, 'check', 'checks')} failed${unknown}`;
}

export async function runReport(io: ProgramIo, flags: ReportFlags): Promise<void> {
  const { out, since } = flags;
  const format = formatOf(flags);
  const { head, render } = KINDS[format];
  await assertShownFile(out, head);
  const checks = checksFor(flags, format);
  await runChanging(io, flags, async (run) => {
    const { stands = {}, lab } = readSelection(flags, (text) => run.output.warn(text)) ?? {};
    const what = {
      ips: flags.ips === true,
      snapshots: flags.snapshots === true,
      ownership: false,
      drift: false,
      templates: true,
    };
    const want = { stands, ...(lab ? { lab } : {}), sinceSeconds: since, ...what };
    const seen = await lookAtStands(want, await run.runContext());
    await run.warnLacking(seen.lacking);
    const files = statusFiles(flags);
    const report = viewReport(seen.report, lab ? viewTopology(lab) : null, seen.templates);
    await writeShownFile(out, render(report, { files, language: flags.language, checks }), head);
    run.finish();
    const { totals } = report;
    run.output.result(
      { file: out, format, ...toReportDocument(report, files) },
      () =>
        `${out}: ${countOf(totals.stands, 'stand', 'stands')}, ${totals.running} of ${countOf(totals.machines, 'machine', 'machines')} running, ${countOf(totals.problems, 'problem', 'problems')}${checksText(checks)}`,
    );
  });
}
