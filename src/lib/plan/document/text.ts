/** A plan as the text of a file, and what its sentences have in common. */
import type { Plan } from './plan.ts';

/** The one text of a saved plan: its SHA-256 in the audit log is that of the file. */
export function planText(plan: Plan): string {
  return `${JSON.stringify(plan, null, 2)}\n`;
}

/** What reading could not see, as every plan warns of it. */
export function gapTexts({ gaps }: { readonly gaps: readonly { readonly text: string }[] }): string[] {
  return gaps.map(({ text }) => text);
}

export const MOST_NAMED = 5;

/** The first of them, and how many more there are. */
export function nameSome(names: readonly string[], most = MOST_NAMED): string {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(', ')} and ${more} more` : names.join(', ');
}

/** The lab that a plan is about; empty where it is about several, or none. */
export function labOf(claims: readonly { readonly lab: string }[]): string {
  const [lab = '', ...more] = new Set(claims.map((claim) => claim.lab));
  return more.length === 0 ? lab : '';
}
