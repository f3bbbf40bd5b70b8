/** What an import has written, as text. */
import { escapeControl } from './escape.ts';
import { foldSaid, sameFor } from './fold.ts';

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

function goneLines(gone: readonly Who[], wide: boolean): string[] {
  const said = gone.map(({ userid }) => ({
    who: userid,
    text: `no longer in the course, kept: ${userid}`,
    own: [userid],
  }));
  return foldSaid(said, wide).flatMap(({ first, others }) => [
    first.text,
    ...(others.length === 0 ? [] : [`  ${sameFor(others)}`]),
  ]);
}

export function renderImport(result: ImportResult, wide: boolean): string {
  const { file, users, added, changed, gone, groups, leftOut } = result;
  const said = leftOut.map(({ place, who, reason }) => ({
    who: `${who} (${place})`,
    text: `left out: ${who} (${place}): ${reason}`,
    own: [`${who} (${place})`],
  }));
  const lines = [
    `${file}: ${users} ${users === 1 ? 'user' : 'users'}, ${added.length} new, ${changed.length} changed`,
    ...foldSaid(said, wide).flatMap(({ first, others }) => [
      first.text,
      ...(others.length === 0 ? [] : [`  ${sameFor(others)}`]),
    ]),
    ...goneLines(gone, wide),
    ...(groups.length === 0
      ? []
      : [
          `groups, which PVE must have (pveum group add NAME) or --no-groups leaves out: ${groups.join(', ')}`,
        ]),
  ];
  return lines.map(escapeControl).join('\n');
}
