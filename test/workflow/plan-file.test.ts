import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadPlan } from '../../src/lib/workflow/plan-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deploy-stand-plan-'));
  file = join(folder, 'plan.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each(['[]', 'null', '5', '"x"', '{}'])('%s is no plan', (text) => {
  writeFileSync(file, text);
  expect(() => loadPlan(file)).toThrow(
    expect.objectContaining({ code: 'PLAN_FILE', message: `${file} is no plan of deploy-stand` }),
  );
});

test.each([
  ['{"version": 2, "steps": 5}', 'PLAN_FILE', /was damaged or edited/],
  ['{"version": 1, "steps": []}', 'PLAN_VERSION', /has version 1, this program knows 2/],
  ['{"version": [7]}', 'PLAN_VERSION', /has version \[7\], this program knows 2/],
  ['{"version": 2, "secret', 'PLAN_FILE', /it is not JSON$/],
  [Buffer.from([0x7b, 0xff]), 'PLAN_FILE', /the file is not valid UTF-8/],
])('%s', (text, code, message) => {
  writeFileSync(file, text);
  expect(() => loadPlan(file)).toThrow(
    expect.objectContaining({ code, exitCode: 2, message: expect.stringMatching(message) as string }),
  );
});

test('what is too much in a plan is named, with the way out', () => {
  writeFileSync(file, '{"version": 2, "steps": [], "more\\u001b": 1}');
  const issues = expect.arrayContaining([
    { file, path: '', message: 'unknown property "more\\u001b"' },
  ]) as unknown;
  expect(() => loadPlan(file)).toThrow(
    expect.objectContaining({ issues, hint: 'make a new plan with --dry-run --out' }),
  );
});

test('a pipe that nobody writes to is not waited for', () => {
  execFileSync('mkfifo', [file]);
  expect(() => loadPlan(file)).toThrow(/cannot be read: this is not a regular file/);
});
