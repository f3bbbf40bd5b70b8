/** What `users export` does with its flags: writes a private file, shows nothing of it. */
import { renderCsvCards } from '../../lib/credentials/cards-csv.ts';
import { CredentialsFile } from '../../lib/credentials/credentials-file.ts';
import { assertReplaceableExport, isExport } from '../../lib/credentials/own-file.ts';
import { writePrivateFile } from '../../lib/credentials/private-file.ts';
import { ConfigError, PlanRefusedError, UsageError } from '../../lib/errors.ts';
import { FileProblem } from '../../lib/files/problem.ts';
import type { Card } from '../../lib/render/cards.ts';
import { escapeControl } from '../../lib/render/escape.ts';
import { renderHtmlCards } from '../../lib/render/cards-html.ts';
import { renderMarkdownCards } from '../../lib/render/cards-markdown.ts';
import { runChanging } from '../cluster-command.ts';
import { foldSaid, sameFor } from '../../lib/render/fold.ts';
import { exportCards, type CardsExport } from '../../lib/workflow/export.ts';
import { readingOf } from '../age-recipient.ts';
import type { ProgramIo } from '../io.ts';
import { credentialsPath, readSelection, type UsersFlags } from './selection.ts';

type Format = 'csv' | 'json' | 'markdown' | 'html';

export interface UsersExportFlags extends UsersFlags {
  readonly format: Format;
  readonly out: string;
}

function render(cards: readonly Card[], format: Format, title: string): string {
  switch (format) {
    case 'csv':
      return renderCsvCards(cards);
    case 'json':
      return `${JSON.stringify({ users: cards }, null, 2)}\n`;
    case 'markdown':
      return renderMarkdownCards(cards);
    case 'html':
      return renderHtmlCards(cards, title);
  }
}

function renderReport(
  file: string,
  cards: readonly Card[],
  leftOut: CardsExport['leftOut'],
  wide: boolean,
): string {
  const count = `${cards.length} ${cards.length === 1 ? 'user' : 'users'}`;
  const said = leftOut.map(({ user, reason }) => ({ who: user, text: reason, own: [user] }));
  return [
    `${file}: ${count}; readable by you alone`,
    ...foldSaid(said, wide).flatMap(({ first, others }) => [
      `left out: ${first.who}: ${first.text}`,
      ...(others.length === 0 ? [] : [`  ${sameFor(others)}`]),
    ]),
  ]
    .map(escapeControl)
    .join('\n');
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writePrivateFile(file, text, isExport);
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    throw new ConfigError('OUT_FILE', `${file} cannot be written: ${error.message}`, {
      hint: 'name another file with --out',
    });
  }
}

/** `-` would be a file of that name, full of passwords. */
function assertIsFile(out: string): void {
  if (out !== '-' && out !== '') return;
  throw new UsageError('OUT_FILE', 'passwords are written to a file, never to stdout', {
    hint: 'name a file with --out',
  });
}

export async function runUsersExport(io: ProgramIo, flags: UsersExportFlags): Promise<void> {
  await runChanging(io, flags, async (run) => {
    const selection = readSelection(flags, (text) => run.output.warn(text));
    assertIsFile(flags.out);
    assertReplaceableExport(flags.out);
    const { url } = await run.connect();
    const credentials = credentialsPath(flags, selection);
    const { cards, leftOut } = await exportCards(
      {
        url,
        ...(selection.users ? { users: selection.users.map((user) => user.userid) } : {}),
        ...(selection.lab ? { lab: selection.lab.name } : {}),
      },
      await run.runContext(),
      await CredentialsFile.open(credentials, {
        url,
        ...readingOf(io, flags, (text) => run.output.warn(text)),
      }),
    );
    if (cards.length === 0) {
      throw new PlanRefusedError(
        'NO_PASSWORDS',
        `${credentials} has no password of these users that is valid`,
        {
          hint: 'name the file that deploy or users passwd wrote with --credentials',
        },
      );
    }
    await write(flags.out, render(cards, flags.format, selection.lab?.name ?? 'Accounts'));
    run.output.result(
      { file: flags.out, format: flags.format, users: cards.map((card) => card.userid), leftOut },
      () => renderReport(flags.out, cards, leftOut, run.output.wide),
    );
  });
}
