/** Tells whether a file may be replaced by one with passwords in it. Reads only. */
import { ConfigError } from '../errors.ts';
import { assertWritableFile } from '../files/open.ts';
import { isCardFile } from '../render/card-files.ts';
import { FileProblem } from '../files/problem.ts';

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
    assertWritableFile(file, { isPrivate: true, isOurs: isCardFile });
    return undefined;
  });
  if (problem !== undefined)
    refuse('OUT_FILE', file, problem, 'name another file with --out, or move this one away');
}
