/** Holds the lines of an audit file against the published schema. */
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect } from 'vitest';

export const schema = JSON.parse(readFileSync('schemas/audit.schema.json', 'utf8')) as object;
const validate = new Ajv({ strict: true }).compile(schema);

export interface AuditRecord {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Every line is a whole record as the schema says. */
export function recordsOf(text: string): AuditRecord[] {
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const record = JSON.parse(line) as AuditRecord;
      expect([line, validate(record) ? [] : validate.errors]).toEqual([line, []]);
      return record;
    });
}
