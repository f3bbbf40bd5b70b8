/** The debug record (`--log-level`, `--log-file`): never the user interface, and never a secret in it. */
import { pino, type DestinationStream, type Logger } from 'pino';
import { UsageError } from '../errors.ts';
import { beginsLike, openForAppend } from '../files/open.ts';
import { FileProblem } from '../files/problem.ts';
import { redactPaths, redactText } from '../redact.ts';

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

interface FileTarget {
  /** Appended to; made for its owner only. */
  readonly file: string;
  /** Hears once that the file takes no more: a record that fails must not end the run that it is about. */
  readonly onTrouble: (text: string) => void;
}

export interface DebugLogOptions {
  /** Default: silent. */
  readonly level?: LogLevel | undefined;
  readonly to: FileTarget | DestinationStream;
}

function toFile({ file, onTrouble }: FileTarget): DestinationStream {
  let append: (text: string) => void;
  try {
    append = openForAppend(file, beginsLike('{"level":'));
  } catch (cause) {
    if (!(cause instanceof FileProblem)) throw cause;
    throw new UsageError('LOG_FILE', `cannot write the log file ${file}: ${cause.message}`, {
      cause,
      hint: 'name another file, in a folder that you may write to',
    });
  }
  let isTold = false;
  return {
    write: (line) => {
      try {
        append(line);
      } catch (error) {
        if (!(error instanceof FileProblem)) throw error;
        if (!isTold) onTrouble(`the log file ${file} cannot be written any more: ${error.message}`);
        isTold = true;
      }
    },
  };
}

function serializeError(error: Error): object {
  const { message, stack, ...rest } = pino.stdSerializers.err(error);
  return { ...rest, message: redactText(message), stack: redactText(stack) };
}

/** Secret fields are masked by name; message texts and error texts by pattern. */
export function createDebugLog({ level = 'silent', to }: DebugLogOptions): Logger {
  if (level === 'silent') return pino({ level });
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: [...redactPaths], censor: '***' },
      serializers: { err: serializeError },
      hooks: {
        logMethod(args, method) {
          const masked = args.map((arg: unknown) => (typeof arg === 'string' ? redactText(arg) : arg));
          Reflect.apply(method, this, masked);
        },
      },
    },
    'file' in to ? toFile(to) : to,
  );
}
