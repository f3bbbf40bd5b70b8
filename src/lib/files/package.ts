/** Reads the files that come with this package. Must not be asked for a user's file. */
import { readFileSync } from 'node:fs';

// The same number of levels up from src/lib/files and from dist/lib/files.
const ROOT = new URL('../../../', import.meta.url);

/** `path`: from the root of the package, e.g. `schemas/plan.schema.json`. */
export function readPackageFile(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

/**
 * For ajv: compiles a schema of the package in a third of the time. What it compiles is slower, and sees few documents;
 * that the schemas are such is for the tests to say.
 */
export const QUICKLY_COMPILED = {
  ...{ inlineRefs: false, validateSchema: false },
  code: { optimize: false },
} as const;
