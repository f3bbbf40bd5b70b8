/** Reads one small text file, refusing whatever is none. Must not interpret the text. */
import { readRegularFile, readStandardInput } from '../../files/open.ts';
import { FileProblem } from '../../files/problem.ts';
import { configError } from './issues.ts';
import { shellWord } from '../../shell.ts';

const MAX_BYTES = 5 * 1024 * 1024;

export interface TextFile {
  readonly text: string;
  /** Permission bits. */
  readonly mode: number;
}

function refuse(file: string, message: string, hint?: string): never {
  throw configError([{ file, path: '', message, ...(hint === undefined ? {} : { hint }) }]);
}

function refuseFile(file: string, { kind, message }: FileProblem): never {
  switch (kind) {
    case 'missing':
      return refuse(file, 'the file does not exist', 'check the path, and the folder you are in');
    case 'denied':
      return refuse(file, 'the file may not be read (permission denied)', `chmod u+r ${shellWord(file)}`);
    case 'folder':
      return refuse(file, 'this is a directory, not a file', 'name a file inside it');
    case 'irregular':
      return refuse(file, 'this is not a regular file');
    case 'large':
      return refuse(file, message.replace(/^it has/, 'the file has'), 'is this the right file?');
    default:
      return refuse(file, `the file cannot be read (${message})`);
  }
}

/** How .xlsx and .ods (zip) and .xls begin. */
const ARCHIVES = [
  [0x50, 0x4b, 0x03, 0x04],
  [0xd0, 0xcf, 0x11, 0xe0],
] as const;

const SAVE_AS = 'open it in the spreadsheet and save it as "CSV UTF-8"';

/** Text of UTF-8 bytes without the byte order mark. */
function decodeText(bytes: Uint8Array, file: string): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    refuse(file, 'the file is written in UTF-16', 'save it as UTF-8');
  }
  if (ARCHIVES.some((magic) => magic.every((byte, at) => bytes[at] === byte))) {
    refuse(file, 'the file is an Excel workbook or another archive, not text', SAVE_AS);
  }
  if (bytes.includes(0))
    refuse(file, 'the file is binary (it contains NUL bytes)', 'a text file is expected');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse(
      file,
      'the file is not valid UTF-8',
      'save it as UTF-8 (in a spreadsheet: "CSV UTF-8"); a list of users in Windows-1251 is read by `deploy-stand users import --from csv`',
    );
  }
}

/** Throws a ConfigError for anything but a readable, regular UTF-8 file of at most 5 MiB; `-` is standard input. */
export function readTextFile(file: string, maxBytes = MAX_BYTES): TextFile {
  try {
    if (file === '-')
      return { text: decodeText(readStandardInput({ maxBytes }), 'standard input'), mode: 0o600 };
    const { bytes, mode } = readRegularFile(file, { maxBytes });
    return { text: decodeText(bytes, file), mode };
  } catch (error) {
    if (error instanceof FileProblem) refuseFile(file, error);
    throw error;
  }
}
