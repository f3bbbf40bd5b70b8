/** The debug record (`--log-level`, `--log-file`): never the user interface, and never a secret in it. */
import { pino, type DestinationStream, type Logger } from 'pino';
import { UsageError } from '../errors.ts';
import { redactPaths, redactText } from '../redact.ts';

type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

export interface DebugLogOptions {
  /** Default: silent. */
  readonly level?: LogLevel;
  /** Appended to, and readable by its owner only; default: stderr. */
  readonly file?: string;
  /** Instead of a file or stderr. */
  readonly destination?: DestinationStream;
}

const STDERR = 2;

function openDestination(file: string | undefined): DestinationStream {
  try {
    // Written at once, so that the last lines before a crash are there.
    return pino.destination({ dest: file ?? STDERR, sync: true, mkdir: true, mode: 0o600 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError('LOG_FILE', `cannot write the log file ${file ?? 'stderr'}: ${reason}`, {
      cause,
      hint: 'name a file in a folder that you may write to',
    });
  }
}

function serializeError(error: Error): object {
  const { message, stack, ...rest } = pino.stdSerializers.err(error);
  return { ...rest, message: redactText(message), stack: redactText(stack) };
}

/** Secret fields are masked by name; message texts and error texts by pattern. */
export function createDebugLog({ level = 'silent', file, destination }: DebugLogOptions = {}): Logger {
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
    destination ?? openDestination(file),
  );
}
