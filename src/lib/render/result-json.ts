/** The document of `--output json|yaml`; described by schemas/result.schema.json. Adds nothing of its own. */
import type { Summary } from '../outcome/types.ts';
import type { Plan } from '../plan/document/plan.ts';
import { orderedObject, type JsonObject } from './ordered-json.ts';

/**
 * The whole plan, as `--plan` reads it back, and how the run ended; keys in a fixed order. `requests`: what PVE was asked
 * by the whole command, where that is known.
 */
export function toResultDocument(plan: Plan, summary: Summary, requests?: number): JsonObject {
  const counted = requests === undefined ? summary : { ...summary, requests };
  return { plan: toPlanDocument(plan), summary: orderedObject(counted) };
}

/** The plan alone, as `--out` saves it. */
export function toPlanDocument(plan: Plan): JsonObject {
  return orderedObject(plan);
}
