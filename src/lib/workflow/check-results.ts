/** Reads the results of `check` back from their file, whoever wrote it. */
import { Ajv } from 'ajv';
import { readTextFile } from '../config/input/read-text.ts';
import { ConfigError } from '../errors.ts';
import { QUICKLY_COMPILED, readPackageFile } from '../files/package.ts';
import type { ChecksReport } from '../plan/views/checks-types.ts';
import { schemaProblem } from '../schema.ts';

const MAX_BYTES = 100 * 1024 * 1024;
const HINT = 'make one with `deploy-stand check --out results.json`';

function refuse(file: string, reason: string, cause?: unknown): never {
  throw new ConfigError('CHECK_RESULTS', `${file} holds no results of checks: ${reason}`, {
    hint: HINT,
    cause,
  });
}

export function loadCheckResults(file: string): ChecksReport {
  let value: unknown;
  const { text } = readTextFile(file, MAX_BYTES);
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(file, 'it is not JSON', error);
  }
  const schema = JSON.parse(readPackageFile('schemas/check-results.schema.json')) as object; // our own; ajv checks it
  const ajv = new Ajv({ strict: true, allowUnionTypes: true, ...QUICKLY_COMPILED });
  const validate = ajv.compile(schema);
  if (validate(value)) return value as ChecksReport; // the schema has just said so
  return refuse(file, schemaProblem(validate.errors));
}
