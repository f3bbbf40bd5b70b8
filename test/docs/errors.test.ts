import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ProgramIo } from '../../src/commands/io.ts';
import { EXIT } from '../../src/lib/exit.ts';
import { createProgram } from '../../src/program.ts';
import { errorCodes, errorTable } from './error-codes.ts';
import { pendingOptions } from './exit-codes.ts';
import { expectFresh } from './generated.ts';

const codes = errorCodes();

test('docs/errors.md has the codes as the code has them (`npm run docs` writes it anew)', async () => {
  await expectFresh('errors.md', errorTable(codes));
});

test.each(['CONFIG_INVALID', 'MISSING_OPTION', 'CANCELLED', 'VMID_TAKEN', 'POOL_FOREIGN', 'NO_NESTED_POOLS'])(
  'thrown, super and refused codes are all found: %s',
  (code) => {
    expect(codes.has(code)).toBe(true);
  },
);

test.each(['README.md', 'docs/errors.md'])(
  '%s has every exit code, and every option that asks for 6',
  (file) => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    const rows = [...text.matchAll(/^\| (\d[\d, ]*) \| (.*) \|$/gm)].map(
      ([, numbers = '', says = '']) => [numbers.split(', ').map(Number), says] as const,
    );
    const told = new Set(rows.flatMap(([numbers]) => numbers));
    // Of errors: what is done is none.
    expect(Object.values(EXIT).filter((code) => code !== EXIT.done && !told.has(code))).toEqual([]);
    const [, says = ''] = rows.find(([numbers]) => numbers.includes(EXIT.pending)) ?? [];
    const asking = pendingOptions(createProgram({ stdout: {}, env: {} } as unknown as ProgramIo));
    expect(asking.length).toBeGreaterThan(3);
    expect(asking.filter((option) => !says.includes(option))).toEqual([]);
  },
);
