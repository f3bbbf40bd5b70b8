/** An error as the one document on stdout when `--output json|yaml` was asked for. Holds what text says once of many. Leaves out causes and stacks. */
import type { StandError } from '../errors.ts';
import { orderedJson, type JsonObject } from './ordered-json.ts';

/** All four members are always there; `hint` is null when there is none. */
export function toErrorDocument(error: StandError): JsonObject {
  const { code, message, inFull = message, hint, issues } = error;
  return { error: { code, message: inFull, hint: hint ?? null, issues: orderedJson(issues) } };
}
