/** Whether a step that is planned now is one of a saved plan. Knows no kind of step. */
import { canonicalText } from '../../order.ts';
import type { Step } from '../document/step.ts';
import { shrinksOf } from '../document/step-traits.ts';

/**
 * What a saved step is not held to: its words, and its order. Edges to what is done already are gone, and the ones that
 * count are those of the plan that is applied.
 */
const FRAME = new Set(['id', 'reason', 'dependsOn', 'after']);

function isRest(now: unknown, saved: unknown): boolean {
  if (now === undefined) return true;
  if (!Array.isArray(now) || !Array.isArray(saved)) return false;
  const known = new Set(saved.map(canonicalText));
  return now.every((item) => known.has(canonicalText(item)));
}

/** Parts in which `now` is neither the saved step nor what is left of it. */
export function changedParts(now: Step, saved: Step): string[] {
  const [a, b] = [now, saved] as unknown as readonly [Record<string, unknown>, Record<string, unknown>]; // any part of any kind
  const shrinks = shrinksOf(now);
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
    (part) =>
      !FRAME.has(part) &&
      canonicalText(a[part]) !== canonicalText(b[part]) &&
      !(shrinks.includes(part) && isRest(a[part], b[part])),
  );
}

/** A part as one line: the texts of a plan file may be anything. */
export function partText(step: Step, part: string): string {
  const value = (step as unknown as Record<string, unknown>)[part]; // as above
  if (value === undefined) return 'nothing';
  const text = canonicalText(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
