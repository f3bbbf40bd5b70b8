/** The one exception of the simulated PVE: an HTTP status with PVE's text. Knows nothing of HTTP itself. */

export class PveError extends Error {
  readonly status: number;
  readonly errors: Readonly<Record<string, string>> | undefined;

  constructor(status: number, message: string, errors?: Readonly<Record<string, string>>) {
    super(message);
    this.name = 'PveError';
    this.status = status;
    this.errors = errors;
  }
}

/** A plain `die` of PVE: everything that went wrong in the domain is HTTP 500. */
export function die(message: string): never {
  throw new PveError(500, message);
}

/** PVE would do it; the text says whose gap it is. */
export function notModelled(what: string): PveError {
  return new PveError(501, `${what} is not part of the simulator`);
}

/** PVE's raise_param_exc. */
export function paramError(errors: Readonly<Record<string, string>>): PveError {
  return new PveError(400, 'Parameter verification failed.', errors);
}

/** PVE's raise_perm_exc; `what` is `<path>, <privilege>` or absent. */
export function permError(what?: string): PveError {
  return new PveError(
    403,
    what === undefined ? 'Permission check failed' : `Permission check failed (${what})`,
  );
}

/** The text a Perl `die "$prefix: $err"` makes of an error: exceptions with a code show it (PVE/Exception.pm). */
export function errorText(error: unknown): string {
  if (!(error instanceof PveError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 500) return error.message;
  const details = Object.entries(error.errors ?? {}).map(([key, text]) => `\n${key}: ${text}`);
  return `${error.status} ${error.message}${details.join('')}`;
}

/** First line, as tasks and reason phrases show it. */
export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
