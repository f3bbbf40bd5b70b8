/** What a reader complains about, one line per problem. */
import { ConfigError } from '../../src/lib/errors.ts';

/** `file:line:column path: message [value] → hint`. Fails when nothing is wrong. */
export function problems(run: () => unknown): string[] {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map((issue) => {
      const place = [issue.file, issue.line, issue.column].filter((part) => part !== undefined).join(':');
      const path = issue.path === '' ? '' : ` ${issue.path}`;
      const value = issue.value === undefined ? '' : ` [${issue.value}]`;
      const hint = issue.hint === undefined ? '' : ` → ${issue.hint}`;
      return `${place}${path}: ${issue.message}${value}${hint}`;
    });
  }
  throw new Error(`no problem was found: ${JSON.stringify(result)}`);
}

/** The same of work that takes time. */
export async function problemsOf(work: Promise<unknown>): Promise<string[]> {
  const outcome = await work.then(
    (result) => () => result,
    (error: unknown) => () => {
      throw error;
    },
  );
  return problems(outcome);
}
