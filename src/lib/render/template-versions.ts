/** What machines are made from: parts of a page, lines of Markdown, cells of a spreadsheet. Judges nothing. */
import { groupBy } from '../group.ts';
import { isWritable } from '../plan/stands/ownership.ts';
import type { MadeMachine, TemplateOriginal, TemplateVersion } from '../plan/views/report-types.ts';
import type { MachineStatus } from '../plan/views/status-types.ts';
import { shellCommand } from '../shell.ts';
import { escapeHtml } from './escape-html.ts';
import { escapeMarkdown } from './escape-markdown.ts';
import type { ReportTexts } from './languages/report-texts.ts';
import { withCommands } from './page.ts';
import type { Part } from './parts.ts';
import type { StatusFiles } from './status-problems.ts';

const MOST_OF_NOTES = 120;

const dayOf = (moment: string): string => moment.slice(0, 10);

function shortened(text: string): string {
  const characters = Array.from(text);
  return characters.length > MOST_OF_NOTES ? `${characters.slice(0, MOST_OF_NOTES - 1).join('')}…` : text;
}

function originalText({ vmid, node, made, notes }: TemplateOriginal, texts: ReportTexts): string {
  return [
    texts.problemTexts.at(String(vmid), node),
    ...(made === null ? [] : [texts.templates.made(dayOf(made))]),
    ...(notes === null ? [] : [shortened(notes)]),
  ].join(', ');
}

function copiesText({ copies }: TemplateVersion, texts: ReportTexts): string[] {
  if (copies.length === 0) return [];
  const list = copies.map(({ vmid, node, made, isCurrent }) => {
    const former = isCurrent ? '' : `, ${texts.templates.formerCopy}`;
    return `${texts.problemTexts.at(String(vmid), node)} (${dayOf(made)}${former})`;
  });
  return [texts.templates.copies(list.join('; '))];
}

function studentsOf(made: readonly MadeMachine[]): string[] {
  return [...groupBy(made, ({ user }) => user)].map(
    ([user, of]) => `${user} (${of.map(({ machine }) => machine).join(', ')})`,
  );
}

/** Of a list that nobody can fold. */
const MOST_STUDENTS = 20;

function shortList(students: readonly string[]): string {
  const more = students.length - MOST_STUDENTS;
  return more > 0 ? `${students.slice(0, MOST_STUDENTS).join('; ')}; + ${more}` : students.join('; ');
}

interface TemplateWords {
  readonly name: string;
  /** Where it is and what it is for, a line each. */
  readonly about: readonly string[];
  readonly made: readonly string[];
  /** Absent: none is outdated. */
  readonly outdated?: { readonly count: string; readonly students: readonly string[]; readonly way: string };
}

function wordsOf(one: TemplateVersion, texts: ReportTexts, files: StatusFiles | undefined): TemplateWords {
  const { name, originals, machines, current, outdated, untold } = one;
  const { templates } = texts;
  const all = current + outdated.length + untold.length;
  const named = files ? ['-c', files.lab, ...files.users.flatMap((file) => ['-u', file])] : [];
  const command = shellCommand('deploy-stand', 'reset', ...named, '--reclone', '--outdated', '--dry-run');
  return {
    name,
    about: [
      ...originals.map((original) => originalText(original, texts)),
      ...copiesText(one, texts),
      templates.forMachines(machines.join(', ')),
    ],
    made: [
      all === 0 ? templates.none : templates.current(current, all),
      ...(untold.length === 0 ? [] : [templates.untold(untold.length)]),
    ],
    ...(outdated.length === 0
      ? {}
      : {
          outdated: {
            count: templates.outdated(outdated.length),
            students: studentsOf(outdated),
            way: templates.way(`\`${command}\``),
          },
        }),
  };
}

/** A day stands in one line. */
const withDays = (html: string): string =>
  html.replace(/\b\d{4}-\d{2}-\d{2}\b/g, '<span class="held">$&</span>');

const note = (text: string): string => `<p class="note">${withDays(escapeHtml(text))}</p>`;

export function templateParts(
  all: readonly TemplateVersion[],
  texts: ReportTexts,
  files: StatusFiles | undefined,
): Part[] {
  return all.map((one) => {
    const { name, about, made, outdated } = wordsOf(one, texts, files);
    const html = [
      `<div class="node"><h3><span>${escapeHtml(name)}</span><span class="warn">${escapeHtml(outdated?.count ?? '')}</span></h3>`,
      ...[...about, ...made].map(note),
      ...(outdated
        ? [
            `<details><summary>${escapeHtml(outdated.count)}</summary><p>${escapeHtml(outdated.students.join('; '))}</p><p>${withCommands(outdated.way)}</p></details>`,
          ]
        : []),
      '</div>',
    ];
    return { key: one.originals.map(({ vmid }) => vmid).join(' '), html: html.join('') };
  });
}

/** With an empty line behind it; nothing where there are none. */
export function templateLines(
  all: readonly TemplateVersion[],
  texts: ReportTexts,
  files: StatusFiles | undefined,
): string[] {
  if (all.length === 0) return [];
  return [
    `## ${texts.templates.title}`,
    '',
    ...all.flatMap((one) => {
      const { name, about, made, outdated } = wordsOf(one, texts, files);
      const more = outdated ? [`${outdated.count}: ${shortList(outdated.students)}`, outdated.way] : [];
      const bullets = [...about, ...made, ...more].map((text) => `- ${escapeMarkdown(text)}`);
      return [`### ${escapeMarkdown(name)}`, '', ...bullets, ''];
    }),
  ];
}

/** Of a machine: its template, and whether it was made from it as it is now; empty where nobody asked. */
export function machineMakes(all: readonly TemplateVersion[]): (machine: MachineStatus) => [string, string] {
  const of = new Map(all.flatMap(({ machines, name }) => machines.map((machine) => [machine, name])));
  const at = (list: readonly MadeMachine[]): ReadonlySet<number> => new Set(list.map(({ vmid }) => vmid));
  const outdated = at(all.flatMap((one) => one.outdated));
  const untold = at(all.flatMap((one) => one.untold));
  return ({ machine, vmid, verdict }) => {
    const name = of.get(machine ?? '');
    if (name === undefined) return ['', ''];
    if (outdated.has(vmid)) return [name, 'outdated'];
    if (untold.has(vmid)) return [name, 'unknown'];
    return [name, isWritable(verdict) ? 'current' : ''];
  };
}
