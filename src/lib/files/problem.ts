/** Why a file is not used. Words only; must not touch a file. */

type FileTrouble =
  | 'missing'
  | 'homeless'
  | 'dangling'
  | 'denied'
  | 'folder'
  | 'irregular'
  | 'file'
  | 'link'
  | 'foreign'
  | 'other'
  | 'full'
  | 'quota'
  | 'large'
  | 'system';

const WORDS: Readonly<Record<Exclude<FileTrouble, 'large' | 'system'>, string>> = {
  missing: 'it does not exist',
  homeless: 'its folder does not exist',
  denied: 'permission denied',
  folder: 'it is a folder',
  irregular: 'it is not a regular file',
  file: 'a file stands where a folder is to be',
  link: 'it is a symbolic link',
  dangling: 'it is a symbolic link to nothing',
  foreign: 'it belongs to another account',
  other: 'it holds something else, which would be lost',
  full: 'its disk is full (ENOSPC)',
  quota: 'your quota of its disk is used up (EDQUOT)',
};

const KINDS: Readonly<Record<string, keyof typeof WORDS>> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  EISDIR: 'folder',
  ELOOP: 'link',
  ENOSPC: 'full',
  EDQUOT: 'quota',
  // A pipe without a reader, opened without waiting for one.
  ENXIO: 'irregular',
};

/** The message goes on after "cannot be used: ". */
export class FileProblem extends Error {
  readonly kind: FileTrouble;

  constructor(kind: FileTrouble, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'FileProblem';
    this.kind = kind;
  }
}

export function problem(kind: keyof typeof WORDS, cause?: unknown): FileProblem {
  return new FileProblem(kind, WORDS[kind], cause);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

/** What a call of the file system says; what is no such error, and what is a problem already, stays as it is. */
export function asFileProblem(error: unknown): unknown {
  if (error instanceof FileProblem || !(error instanceof Error) || !('syscall' in error)) return error;
  const code = codeOf(error);
  const kind = KINDS[code];
  return kind === undefined ? new FileProblem('system', code, error) : problem(kind, error);
}

/** The same for a call that makes a file: what is missing then is the folder. */
export function problemOfMaking(error: unknown): unknown {
  const found = asFileProblem(error);
  return found instanceof FileProblem && found.kind === 'missing' ? problem('homeless', error) : found;
}
