/**
 * What `--output json` prints, held against its schema: one judge for every command's tests, compiled once.
 */

import { readFileSync } from 'node:fs';

import { Ajv, type ErrorObject } from 'ajv';

const read = (name: string): object =>
  JSON.parse(readFileSync(new URL(`../../schemas/${name}.schema.json`, import.meta.url), 'utf8')) as object;

const ajv = new Ajv({ strict: false, discriminator: true, schemas: [read('plan')] });
const isResult = ajv.compile(read('result'));

/** What the schema finds wrong with a printed result; nothing when it fits. Throws when it is no JSON. */
export function resultErrors(printed: string): readonly ErrorObject[] {
  return isResult(JSON.parse(printed)) ? [] : (isResult.errors ?? []);
}
