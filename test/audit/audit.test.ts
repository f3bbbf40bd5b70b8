import {
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AuditFile } from '../../src/lib/audit/audit-file.ts';
import { AuditLog, type AuditSink } from '../../src/lib/audit/audit-log.ts';
import { createClock } from '../../src/lib/clock.ts';
import type { StandError } from '../../src/lib/errors.ts';
import { planText } from '../../src/lib/plan/document/text.ts';
import { alias, lab, machine, plan, user } from '../plan/builders.ts';
import { recordsOf, schema } from './audit-schema.ts';

let folder = '';
const at = (name: string): string => join(folder, name);

/** Undefined: closed meanwhile. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'audit-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the file', () => {
  test('is private although the umask is not, and is appended to', async () => {
    const before = process.umask(0);
    try {
      for (const line of ['{"time":"a"}', '{"b":2}']) {
        const file = await AuditFile.open(at('a.jsonl'));
        await file.append(line);
        await file.close();
      }
    } finally {
      process.umask(before);
    }
    expect(readFileSync(at('a.jsonl'), 'utf8')).toBe('{"time":"a"}\n{"b":2}\n');
    expect(statSync(at('a.jsonl')).mode & 0o777).toBe(0o600);
  });

  // No test can cut the power; what the kernel was told can be looked at.
  test.runIf(process.platform === 'linux')('each write to it ends on the disk', async () => {
    const file = await AuditFile.open(at('a.jsonl'));
    const fd = readdirSync('/proc/self/fd').find((one) => linkOf(`/proc/self/fd/${one}`) === at('a.jsonl'));
    const [, flags = '0'] = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
    await file.close();
    expect(parseInt(flags, 8) & constants.O_DSYNC).toBe(constants.O_DSYNC);
  });

  test('lines of several writers are never mixed up', async () => {
    const files = await Promise.all(Array.from({ length: 4 }, () => AuditFile.open(at('shared.jsonl'))));
    await Promise.all(
      files.flatMap((file, writer) =>
        Array.from({ length: 150 }, async (_, n) => file.append(`${writer}:${n}:${'x'.repeat(9000)}`)),
      ),
    );
    await Promise.all(files.map((file) => file.close()));
    const lines = readFileSync(at('shared.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(600);
    for (const writer of [0, 1, 2, 3]) {
      const own = lines.filter((line) => line.startsWith(`${writer}:`));
      expect(own).toEqual(Array.from({ length: 150 }, (_, n) => `${writer}:${n}:${'x'.repeat(9000)}`));
    }
  });

  test('half a line that a full disk has left does not swallow the next one', async () => {
    writeFileSync(at('torn.jsonl'), '{"time":"1"}\n{"b":', { mode: 0o600 });
    const file = await AuditFile.open(at('torn.jsonl'));
    await file.append('{"c":3}');
    await file.append('{"d":4}');
    await file.close();
    expect(readFileSync(at('torn.jsonl'), 'utf8')).toBe('{"time":"1"}\n{"b":\n{"c":3}\n{"d":4}\n');
  });

  test('is ours although a full disk has cut off its very first line', async () => {
    writeFileSync(at('first.jsonl'), '{"ti', { mode: 0o600 });
    await (await AuditFile.open(at('first.jsonl'))).close();
    const file = await AuditFile.open(at('first.jsonl'));
    await file.append('{"time":"b"}');
    await file.close();
    await expect(AuditFile.open(at('first.jsonl')).then(async (again) => again.close())).resolves.toBe(
      undefined,
    );
  });

  test.each([
    { name: 'a folder', make: (path: string) => mkdirSync(path), says: /a folder/ },
    {
      name: 'a symbolic link',
      make: (path: string) => symlinkSync(at('elsewhere'), path),
      says: /symbolic link/,
    },
    {
      name: 'a pipe',
      make: (path: string) => execFileSync('sh', ['-c', 'mkfifo "$0"', path]),
      says: /not a regular file/,
    },
    {
      name: 'a file that others may read',
      make: (path: string) => {
        writeFileSync(path, '');
        chmodSync(path, 0o640);
      },
      says: /others may read or write it; chmod 600/,
    },
    {
      name: 'a credentials file',
      make: (path: string) => writeFileSync(path, 'userid,password\n', { mode: 0o600 }),
      says: /holds something else than audit records/,
    },
    {
      name: 'JSON of another kind',
      make: (path: string) => writeFileSync(path, '{\n"a":1}', { mode: 0o600 }),
      says: /holds something else/,
    },
    {
      name: 'a missing folder',
      path: 'no/such/a.jsonl',
      make: () => undefined,
      says: /folder does not exist/,
    },
  ])('$name is refused', async ({ make, says, path = 'x' }) => {
    make(at(path));
    await expect(AuditFile.open(at(path))).rejects.toMatchObject({
      code: 'AUDIT_FILE',
      exitCode: 2,
      message: says,
    });
  });
});

interface Memory extends AuditSink {
  text: string;
}

/** A sink that is full from the n-th line on. */
function memory(room = Infinity): Memory {
  let lines = 0;
  return {
    text: '',
    append(line) {
      if ((lines += 1) > room) return Promise.reject(new Error('ENOSPC: no space left on device'));
      this.text += `${line}\n`;
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

const facts = {
  argv: [
    'deploy',
    '--audit-file',
    'a.jsonl',
    '--token-value',
    'S3CRET',
    '--password=S3CRET',
    '-c',
    'lab.yml',
  ],
  connection: 'school',
  hosts: ['pve1'],
  account: 'lab@pve!ci',
  osUser: 'anna',
  osHost: 'runner',
  pid: 1,
};
const password = {
  method: 'POST',
  path: '/access/users',
  params: { userid: 'anna@pve', password: 'S3CRET', comment: 'S3CRET', groups: '\u001b[31m\u009b2J' },
} as const;

describe('the log', () => {
  test('one run: start, plan, writes with their step, end; no value that could be a secret', async () => {
    const sink = memory();
    const log = new AuditLog(sink, createClock(), () => undefined);
    const made = plan(lab([machine('pc', [alias('lan')])]), [user('anna')]);
    await log.start(facts);
    await log.plan(made);
    const end = await log.begin({ ...password, step: 'user.create:anna@pve' });
    await end({ result: 'refused', status: 500, code: 'PVE_ERROR', message: 'password=S3CRET is bad' });
    const second = await log.begin({ method: 'POST', path: '/nodes/n/qemu/1/clone', params: { newid: '2' } });
    await second({ result: 'done', status: 200, upid: 'UPID:n:' });
    const [step] = made.steps;
    if (step) log.hear({ type: 'step.succeeded', step, outcome: 'done', durationMs: 1 });
    await log.end(5);
    const records = recordsOf(sink.text);
    expect(records.map(({ type }) => type)).toEqual([
      'run.start',
      'plan',
      'write.start',
      'write.end',
      'write.start',
      'write.end',
      'run.end',
    ]);
    expect(records[0]?.['argv']).toEqual([
      ...['deploy', '--audit-file', 'a.jsonl', '--token-value', '***', '--password=***', '-c', 'lab.yml'],
    ]);
    const sum = createHash('sha256').update(planText(made)).digest('hex');
    expect(records[1]).toMatchObject({ sha256: sum, command: 'deploy' });
    expect(records[2]).toMatchObject({
      write: 1,
      step: 'user.create:anna@pve',
      others: ['password', 'comment'],
    });
    expect(records[3]).toMatchObject({ write: 1, result: 'refused', message: 'password=*** is bad' });
    expect(records[5]).toMatchObject({ write: 2, result: 'done', upid: 'UPID:n:' });
    expect(records[6]).toMatchObject({ status: 'partial', exitCode: 5, writes: 2, steps: { done: 1 } });
    expect(sink.text).not.toContain('S3CRET');
    expect(sink.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  test.each([
    { room: 1, name: 'before anything was sent', exitCode: 4, sent: 0 },
    { room: 2, name: 'with the end of a write', exitCode: 5, sent: 1 },
    { room: 3, name: 'with the second write', exitCode: 5, sent: 1 },
  ] as const)('a full disk, $name: nothing is sent any more, told once', async ({ room, exitCode, sent }) => {
    const failures: StandError[] = [];
    const log = new AuditLog(memory(room), createClock(), (error) => failures.push(error));
    await log.start(facts);
    let let_through = 0;
    for (let i = 0; i < 4; i += 1) {
      try {
        const end = await log.begin(password);
        let_through += 1;
        await end({ result: 'done', status: 200 });
      } catch (error) {
        expect(error).toMatchObject({ code: 'AUDIT_FAILED', exitCode });
      }
    }
    await log.end(exitCode);
    expect([let_through, failures.length]).toEqual([sent, 1]);
  });
});

test('the schema describes every field', () => {
  const silent: string[] = [];
  const visit = (node: Record<string, unknown>, place: string): void => {
    for (const group of ['properties', 'definitions']) {
      for (const [key, child] of Object.entries(
        (node[group] ?? {}) as Record<string, Record<string, unknown>>,
      )) {
        if (child['$ref'] === undefined && typeof child['description'] !== 'string')
          silent.push(`${place}.${key}`);
        visit(child, `${place}.${key}`);
      }
    }
  };
  visit(schema as Record<string, unknown>, 'audit');
  expect(silent).toEqual([]);
});
