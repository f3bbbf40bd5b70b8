/** Tells whether a file may be replaced by one with passwords in it. Reads only. */
import { ConfigError } from '../errors.ts';
import { assertWritableFile } from '../files/open.ts';
import { markdownHead } from '../render/cards-markdown.ts';
import { formatCsv } from '../render/csv.ts';
import { LANGUAGES } from '../render/languages/codes.ts';
import { HANDOUT_LANGUAGES } from '../render/languages/languages.ts';
import { csvColumns } from '../render/cards-csv.ts';
import { FileProblem } from '../files/problem.ts';

/** How each format of `users export` begins; 0.1.0 wrote the login before the realm. */
const EXPORT =
  /^\uFEFF?(?:userid,name,login,realm,password,|\{\s*"users": \[|\| User \| Name \| (?:Login|Realm) |<!doctype html>\s*<html lang="[a-z]{2}">[\s\S]{0,300}<meta name="robots" content="noindex">)/;

/** Headings of tables, in each language. */
const HEADS = Object.values(HANDOUT_LANGUAGES).map(markdownHead);
const COLUMNS = LANGUAGES.map((language) => formatCsv(csvColumns(language), []).trimEnd());

export const isExport = (head: string): boolean =>
  EXPORT.test(head) || [...HEADS, ...COLUMNS].some((start) => head.replace(/^\uFEFF/, '').startsWith(start));

/** Somebody else's file would hand the passwords to its owner, and a link may lead anywhere. */
function problemWith(look: () => string | undefined): string | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof FileProblem) return error.message;
    throw error;
  }
}

function refuse(code: string, file: string, problem: string, hint: string): never {
  throw new ConfigError(code, `${file} cannot be used: ${problem}`, { hint });
}

/** Throws ConfigError for a credentials file that is a link, no regular file, or not this account's. */
export function assertOwnCredentials(file: string): void {
  const problem = problemWith(() => {
    assertWritableFile(file, { isPrivate: true });
    return undefined;
  });
  if (problem !== undefined)
    refuse('CREDENTIALS_FILE', file, problem, 'name another file with --credentials, or move this one away');
}

/** Throws ConfigError unless the name is free, or what is there is an export of ours. */
export function assertReplaceableExport(file: string): void {
  const problem = problemWith(() => {
    assertWritableFile(file, { isPrivate: true, isOurs: isExport });
    return undefined;
  });
  if (problem !== undefined)
    refuse('OUT_FILE', file, problem, 'name another file with --out, or move this one away');
}
