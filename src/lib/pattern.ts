/** Regular expressions that take time in proportion to the text, whatever it is: what is looked through comes from students. */
import { RE2JS } from 're2js';

const compiled = new Map<string, RE2JS>();

/** `^` and `$` are the ends of a line. Throws for what is none. */
function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known) return known;
  const made = RE2JS.compile(pattern, RE2JS.MULTILINE);
  compiled.set(pattern, made);
  return made;
}

/** What is wrong with it, in words; undefined: nothing. */
export function patternProblem(pattern: string): string | undefined {
  try {
    compile(pattern);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Is it found anywhere in the text? */
export function isFound(pattern: string, text: string): boolean {
  return compile(pattern).matcher(text).find();
}
