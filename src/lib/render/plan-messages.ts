/** The words of notifications about plans, what came of them, and problems of a class: short enough for a phone. Pure. */
import type { StandSummary, Summary } from '../outcome/types.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { Problem } from '../plan/views/status-types.ts';
import { sayStandCounts, viewPlanned } from './plan-stands.ts';
import { shortened } from './short-message.ts';
import { problemTexts } from './status-problems.ts';
import { countOf, countSteps } from './step-text.ts';

interface About {
  /** `access freeze`. */
  readonly command: string;
  /** Empty when there is one cluster only. */
  readonly connection: string;
}

function titled({ command, connection }: About, text: string): string {
  return `deploy-stand ${command}${connection === '' ? '' : `, ${connection}`}: ${text}`;
}

const labIn = ({ lab }: Plan): string => (lab === '' ? '' : `lab ${lab}, `);

/** What a run would do. */
export function plannedMessage(about: About, plan: Plan): string {
  const views = viewPlanned(plan);
  const lines = views
    .filter(({ steps, stand }) => steps.length > 0 || stand.refused !== undefined)
    .map(({ stand, fate }) => `${stand.user}: ${fate}${stand.refused ? `, ${stand.refused.message}` : ''}`);
  const what = views.length === 0 ? '' : `${sayStandCounts(views, plan.command)}; `;
  return shortened([
    titled(about, `${labIn(plan)}dry run, nothing was changed: ${what}${countSteps(plan.steps)}`),
    ...lines,
  ]);
}

function standLine({ user, status, error }: StandSummary): string {
  return `${user}: ${status}${error ? `, ${error.message}` : ''}`;
}

/** What came of a run; of the stands those that are not as they were. */
export function endedMessage(about: About, plan: Plan, { status, stands, steps }: Summary): string {
  const failed = [
    ...(steps.failed === 0 ? [] : [`${steps.failed} failed`]),
    ...(steps.skipped === 0 ? [] : [`${steps.skipped} skipped`]),
  ];
  const title = `${labIn(plan)}${status}; ${[countOf(steps.done, 'step', 'steps'), ...failed].join(', ')}`;
  const worth = stands.filter((stand) => stand.status !== 'unchanged');
  return shortened([titled(about, title), ...worth.map(standLine)]);
}

/** Of a class as it is now; the ways out are in the output. */
export function problemsMessage(about: About, problems: readonly Problem[]): string {
  const title = problems.length === 0 ? 'no problems' : countOf(problems.length, 'problem', 'problems');
  const lines = problemTexts(problems).flatMap((text) => text.of.map((of) => `${text.title}: ${of}`));
  return shortened([titled(about, title), ...lines]);
}

export function failedMessage(about: About, message: string): string {
  return titled(about, `FAILED: ${message}`);
}
