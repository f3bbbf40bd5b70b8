/** Whether a step that is planned now is one of a saved plan. Knows no kind of step. */
import { canonicalText } from '../../order.ts';
import { leewayOf } from '../document/step-traits.ts';
import { claimedAtAll } from './claimed-at-all.ts';
import { stepId, type Step } from '../document/step.ts';

/**
 * What a saved step is not held to: its words, and its order. Edges to what is done already are gone, and the ones that
 * count are those of the plan that is applied.
 */
const FRAME = new Set(['id', 'reason', 'dependsOn', 'after']);

type Parts = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Parts {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An item says no more than the saved one: what it waited for may be done. */
function isPartOf(now: unknown, saved: unknown): boolean {
  if (!isRecord(now) || !isRecord(saved)) return canonicalText(now) === canonicalText(saved);
  return Object.entries(now).every(([key, value]) => canonicalText(value) === canonicalText(saved[key]));
}

function isRest(now: unknown, saved: unknown): boolean {
  if (now === undefined) return true;
  if (!Array.isArray(now) || !Array.isArray(saved)) return false;
  const known: readonly unknown[] = saved;
  return now.every((item) => known.some((one) => isPartOf(item, one)));
}

function isNothing(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}

function isSameClaim(now: unknown, saved: unknown): boolean {
  return typeof now === 'string' && typeof saved === 'string' && claimedAtAll(now) === claimedAtAll(saved);
}

/** The saved step that is this one, or of which this one is the rest. */
export function counterpart(now: Step, saved: ReadonlyMap<string, Step>): Step | undefined {
  const { resumes } = leewayOf(now);
  const key = now.id.slice(now.kind.length + 1);
  return saved.get(now.id) ?? (resumes === undefined ? undefined : saved.get(stepId(resumes, key)));
}

/** Parts in which `now` is neither the saved step nor what is left of it. */
export function changedParts(now: Step, saved: Step): string[] {
  const [a, b] = [now, saved] as unknown as readonly [Parts, Parts]; // any part of any kind
  const { shrinks, claims, progress, resumes } = leewayOf(now);
  const isResumed = saved.kind === resumes && saved.id !== now.id;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
    (part) =>
      !FRAME.has(part) &&
      !progress.includes(part) &&
      canonicalText(a[part]) !== canonicalText(b[part]) &&
      !(isResumed && (part === 'kind' || isNothing(a[part]))) &&
      !(shrinks.includes(part) && isRest(a[part], b[part])) &&
      !(claims.includes(part) && isSameClaim(a[part], b[part])),
  );
}

/** A part as one line: the texts of a plan file may be anything. */
export function partText(step: Step, part: string): string {
  const value = (step as unknown as Record<string, unknown>)[part]; // as above
  if (value === undefined) return 'nothing';
  const text = canonicalText(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
