/** What changed between two looks, a line each: what a watch prints where nothing can be drawn anew. */
import type { StandStatus, StatusReport } from '../plan/views/status-types.ts';
import { escapeControl } from './escape.ts';
import { problemTexts } from './status-problems.ts';
import { machinesText } from './status-cells.ts';

function standLines({ labs }: StatusReport): Map<string, string> {
  const stands = labs.flatMap(({ stands: list }): readonly StandStatus[] => list);
  return new Map(
    stands.map((stand) => [
      `${stand.user}, lab ${stand.lab}`,
      [machinesText(stand), stand.nodes.join(', '), `access ${stand.access}`]
        .filter((part) => part !== '')
        .join('; '),
    ]),
  );
}

function problemLines({ problems }: StatusReport): Set<string> {
  return new Set(problemTexts(problems).flatMap(({ title, of }) => of.map((about) => `${title}: ${about}`)));
}

export function statusChanges(before: StatusReport, after: StatusReport): string[] {
  const [was, is] = [standLines(before), standLines(after)];
  const [had, has] = [problemLines(before), problemLines(after)];
  const lines = [
    ...[...is].flatMap(([stand, now]) => {
      const then = was.get(stand);
      if (then === now) return [];
      return [then === undefined ? `${stand}: new: ${now}` : `${stand}: ${then} -> ${now}`];
    }),
    ...[...was.keys()].filter((stand) => !is.has(stand)).map((stand) => `${stand}: gone`),
    ...[...has].filter((line) => !had.has(line)).map((line) => `problem: ${line}`),
    ...[...had].filter((line) => !has.has(line)).map((line) => `over: ${line}`),
  ];
  return lines.map((line) => `${after.now.replace(/\.\d+Z$/, 'Z')} ${escapeControl(line)}`);
}
