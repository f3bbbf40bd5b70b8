/** Appends lines to a file that many processes may share, each on disk when told so. Must not know what they say, but for how they start. */
import type { FileHandle } from 'node:fs/promises';
import { UsageError } from '../errors.ts';
import { openPrivate, type Opened } from '../files/open.ts';
import { FileProblem, problem } from '../files/problem.ts';
import { syncFolderOf } from '../files/replace.ts';
import { shellWord } from '../shell.ts';

const NEWLINE = 0x0a;
/** How every record starts (audit-log.ts): a file of something else, named by mistake, is left alone. */
const HEAD = '{"time":"';

interface Queued {
  readonly line: string;
  resolve(): void;
  reject(error: unknown): void;
}

function refuse(file: string, reason: string, cause?: unknown): never {
  throw new UsageError(
    'AUDIT_FILE',
    `the audit file ${file === '' ? '""' : file} cannot be used: ${reason}`,
    {
      hint: 'name a file of your own in a folder that you may write to, with --audit-file',
      cause,
    },
  );
}

/** A full disk may have cut the first line off, even within these few letters. */
async function startsAsOurs(handle: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2 * HEAD.length), 0, 2 * HEAD.length, 0);
  const [first = '', second = ''] = buffer.toString('latin1', 0, bytesRead).split('\n');
  if (first.startsWith(HEAD)) return true;
  const mayBecome = (line: string): boolean => line.startsWith(HEAD) || HEAD.startsWith(line);
  return first !== '' && mayBecome(first) && mayBecome(second);
}

export class AuditFile {
  readonly #handle: FileHandle;
  readonly #isSynchronous: boolean;
  /** What a process that met a full disk may have left is ended by a line break of ours. */
  #isTorn: boolean;
  #queue: Queued[] = [];
  #isWriting = false;

  private constructor({ handle, isSynchronous }: Opened, isTorn: boolean) {
    this.#handle = handle;
    this.#isSynchronous = isSynchronous;
    this.#isTorn = isTorn;
  }

  /** Throws UsageError unless the file is ours, private and writable. */
  static async open(file: string): Promise<AuditFile> {
    let handle: FileHandle | undefined;
    try {
      const opened = await openPrivate(file);
      ({ handle } = opened);
      const { isNew, stats } = opened;
      if (isNew) await syncFolderOf(file);
      // The bits mean nothing on Windows.
      if (process.getuid !== undefined && (stats.mode & 0o077) !== 0)
        refuse(file, `others may read or write it; chmod 600 ${shellWord(file)}`);
      if (stats.size > 0 && !(await startsAsOurs(handle)))
        refuse(file, 'it holds something else than audit records');
      const last = Buffer.alloc(1, NEWLINE);
      if (stats.size > 0) await handle.read(last, 0, 1, stats.size - 1);
      return new AuditFile(opened, last[0] !== NEWLINE);
    } catch (error) {
      await handle?.close();
      if (error instanceof FileProblem) refuse(file, error.message, error);
      throw error;
    }
  }

  /** On disk when it resolves. Lines of one moment share one write and one fsync. */
  async append(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ line, resolve, reject });
      if (!this.#isWriting) void this.#drain();
    });
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #drain(): Promise<void> {
    this.#isWriting = true;
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      try {
        await this.#write(batch.map(({ line }) => `${line}\n`).join(''));
        for (const entry of batch) entry.resolve();
      } catch (error) {
        for (const entry of batch) entry.reject(error);
      }
    }
    this.#isWriting = false;
  }

  /** One write, because the kernel keeps only single appends to one file apart (POSIX write, O_APPEND). */
  async #write(text: string): Promise<void> {
    const bytes = Buffer.from(this.#isTorn ? `\n${text}` : text);
    this.#isTorn = true;
    const { bytesWritten } = await this.#handle.write(bytes);
    if (bytesWritten < bytes.length) throw problem('full');
    this.#isTorn = false;
    if (!this.#isSynchronous) await this.#handle.datasync();
  }
}
