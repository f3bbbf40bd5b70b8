/** What an import has written, as text. */
import { addGroupCommand } from '../pve-values/admin-commands.ts';
import { escapeControl } from './escape.ts';
import { foldedLines } from './fold.ts';
import { paragraph } from './layout.ts';
import { countOf } from './step-text.ts';

interface Who {
  readonly userid: string;
  readonly name: string;
}

interface ImportResult {
  readonly file: string;
  readonly users: number;
  readonly added: readonly Who[];
  readonly changed: readonly Who[];
  readonly gone: readonly Who[];
  readonly groups: readonly string[];
  readonly leftOut: readonly { readonly place: string; readonly who: string; readonly reason: string }[];
}

export function renderImport(
  result: ImportResult,
  { width, wide }: { readonly width: number; readonly wide: boolean },
): string {
  const { file, users, added, changed, gone, groups, leftOut } = result;
  const out = leftOut.map(({ place, who, reason }) => ({
    who: `${who} (${place})`,
    text: `left out: ${who} (${place}): ${reason}`,
    own: [`${who} (${place})`],
  }));
  const kept = gone.map(({ userid }) => ({
    who: userid,
    text: `no longer in the course, kept: ${userid}`,
    own: [userid],
  }));
  const line = (text: string): string[] => paragraph(escapeControl(text), { width, hang: 2 });
  return [
    ...line(`${file}: ${countOf(users, 'user', 'users')}, ${added.length} new, ${changed.length} changed`),
    ...foldedLines(out, { width, wide }),
    ...foldedLines(kept, { width, wide }),
    ...(groups.length === 0
      ? []
      : line(
          `groups, which PVE must have (${addGroupCommand('NAME')}) or --no-groups leaves out: ${groups.join(', ')}`,
        )),
  ].join('\n');
}
