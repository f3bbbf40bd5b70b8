/** A plan as the text of a file. */
import type { Plan } from './plan.ts';

/** The one text of a saved plan: its SHA-256 in the audit log is that of the file. */
export function planText(plan: Plan): string {
  return `${JSON.stringify(plan, null, 2)}\n`;
}
