/** The first line of a summary: how a command ended, by command and status. Counts nothing that the summary does not say. */
import type { Summary, SummaryStatus } from '../outcome/types.ts';
import type { AccessPlan, Plan, PowerAction, PowerPlan } from '../plan/document/plan.ts';
import { powerAfter } from '../plan/document/step-traits.ts';
import { countOf } from './step-text.ts';

function cleanupTitle({ lab }: Plan, { status, stands }: Summary): string {
  const what = lab === '' ? 'The selection' : `Lab ${lab}`;
  const all = countOf(stands.length, 'stand', 'stands');
  const titles: { readonly [S in SummaryStatus]: string } = {
    done: `${what} is removed: ${all}`,
    partial: `${what} is partly removed`,
    failed: `${what} could not be removed`,
    interrupted: `${what}: the cleanup was interrupted`,
    refused: `${what}: the plan was refused, nothing was changed`,
    'dry-run': `${what}: dry run, nothing was changed`,
    'nothing-to-do': lab === '' ? 'Nothing to remove' : `${what}: nothing to remove`,
  };
  return titles[status];
}

const IN_GENERAL: Pick<Record<SummaryStatus, string>, 'interrupted' | 'refused' | 'dry-run'> = {
  interrupted: 'The run was interrupted',
  refused: 'The plan was refused, nothing was changed',
  'dry-run': 'Dry run, nothing was changed',
};

function usersTitle({ status, stands }: Summary): string {
  const all = countOf(stands.length, 'user', 'users');
  const titles: { readonly [S in SummaryStatus]: string } = {
    ...IN_GENERAL,
    done: 'The users are as asked',
    partial: 'Not all users are as asked',
    failed: 'The users could not be changed',
    'nothing-to-do': `Nothing to do for ${all}`,
  };
  return titles[status];
}

function accessTitle({ action }: AccessPlan, { status, stands }: Summary): string {
  const all = countOf(stands.length, 'stand', 'stands');
  const isFreeze = action === 'freeze';
  const titles: { readonly [S in SummaryStatus]: string } = {
    ...IN_GENERAL,
    done: isFreeze ? `Access is taken away: ${all} frozen` : `Access is given back: ${all}`,
    partial: isFreeze ? 'Access is not taken away everywhere' : 'Access is not given back everywhere',
    failed: isFreeze ? 'Access could not be taken away' : 'Access could not be given back',
    'nothing-to-do': `Nothing to do for ${all}: ${isFreeze ? 'all are frozen' : 'none is frozen'}`,
  };
  return titles[status];
}

function extendTitle({ status, stands }: Summary): string {
  const all = countOf(stands.length, 'stand', 'stands');
  const titles: { readonly [S in SummaryStatus]: string } = {
    ...IN_GENERAL,
    done: `The expiry is as asked: ${all}`,
    partial: 'The expiry is not as asked everywhere',
    failed: 'The expiry could not be changed',
    'nothing-to-do': `Nothing to do for ${all}`,
  };
  return titles[status];
}

const DAY_TWO: Readonly<Record<'snapshot' | 'reset', readonly [done: string, what: string]>> = {
  snapshot: ['The snapshots are as asked', 'worked on'],
  reset: ['The stands are reset', 'reset'],
};

function dayTwoTitle(command: 'snapshot' | 'reset', { status, stands }: Summary): string {
  const [done, what] = DAY_TWO[command];
  const all = countOf(stands.length, 'stand', 'stands');
  const titles: { readonly [S in SummaryStatus]: string } = {
    done: `${done}: ${all}`,
    partial: `${all}: not everything could be ${what}`,
    failed: `${all} could not be ${what}`,
    interrupted: 'The run was interrupted',
    refused: 'The plan was refused, nothing was changed',
    'dry-run': 'Dry run, nothing was changed',
    'nothing-to-do': `Nothing to do for ${all}`,
  };
  return titles[status];
}

const DEEDS: { readonly [A in PowerAction]: string } = {
  start: 'started',
  shutdown: 'shut down',
  stop: 'powered off',
  reboot: 'rebooted',
  suspend: 'suspended',
  resume: 'resumed',
};

/** Where a suspension leaves the memory where it is, in all that it does. */
const isPause = ({ steps }: PowerPlan): boolean =>
  steps.length > 0 && steps.every((step) => powerAfter(step) === 'paused');

function powerTitle(plan: PowerPlan, { status, stands }: Summary): string {
  const { lab, action, steps } = plan;
  const deed = isPause(plan) ? 'paused' : DEEDS[action];
  const what = lab === '' ? 'The selection' : `Lab ${lab}`;
  const all = countOf(stands.length, 'stand', 'stands');
  const titles: { readonly [S in SummaryStatus]: string } = {
    done: `${what}: ${countOf(steps.length, 'machine', 'machines')} of ${all} ${deed}`,
    partial: `${what}: not all machines are ${deed}`,
    failed: `${what}: no machine could be ${deed}`,
    interrupted: `${what}: the run was interrupted`,
    refused: `${what}: the plan was refused, nothing was changed`,
    'dry-run': `${what}: dry run, nothing was changed`,
    'nothing-to-do': `${what}: nothing to do for ${all}`,
  };
  return titles[status];
}

export function titleOf(plan: Plan, summary: Summary): string {
  if (plan.command === 'power') return powerTitle(plan, summary);
  if (plan.command === 'snapshot' || plan.command === 'reset') return dayTwoTitle(plan.command, summary);
  if (plan.command === 'users') return usersTitle(summary);
  if (plan.command === 'cleanup') return cleanupTitle(plan, summary);
  if (plan.command === 'access') return accessTitle(plan, summary);
  if (plan.command === 'extend') return extendTitle(summary);
  const { lab } = plan;
  const { status, stands } = summary;
  const all = countOf(stands.length, 'stand', 'stands');
  const titles: { readonly [S in SummaryStatus]: string } = {
    done: `Lab ${lab} is deployed: ${all}`,
    partial: `Lab ${lab} is partly deployed`,
    failed: `Lab ${lab} could not be deployed`,
    interrupted: `Lab ${lab}: the run was interrupted`,
    refused: `Lab ${lab}: the plan was refused, nothing was changed`,
    'dry-run': `Lab ${lab}: dry run, nothing was changed`,
    'nothing-to-do': `Lab ${lab}: nothing to do for ${all}`,
  };
  return titles[status];
}
