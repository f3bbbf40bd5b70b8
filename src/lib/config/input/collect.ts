/** What comes of reading one input file: a value or all its problems, so that several files can be read before any throws. */
import { ConfigError, type ConfigIssue } from '../../errors.ts';
import { configError } from './issues.ts';

/** `value` is absent iff there are errors. */
export interface Collected<T> {
  readonly value?: T;
  /** Of what the file says, whatever the command line says on top. */
  readonly digest?: string;
  readonly errors: readonly ConfigIssue[];
  readonly warnings: readonly string[];
}

/** Runs a reader; a file that cannot even be read is a list of errors too. */
export function collectErrors<T>(read: () => Collected<T>): Collected<T> {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) return { errors: error.issues, warnings: [] };
    throw error;
  }
}

/** The value, or one ConfigError with every problem. */
export function valueOf<T>({ value, errors }: Collected<T>): T {
  if (value === undefined) throw configError(errors);
  return value;
}
