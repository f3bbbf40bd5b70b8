import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UsageError } from '../../src/lib/errors.ts';
import { createDebugLog } from '../../src/lib/ui/debug-log.ts';

function recorder() {
  const lines: string[] = [];
  return {
    destination: { write: (line: string) => void lines.push(line) },
    records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    text: () => lines.join(''),
  };
}

const onTrouble = (text: string): never => {
  throw new Error(text);
};

describe('debug log', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'deploy-stand-log-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('masks secrets in fields, in texts and in errors', () => {
    const { destination, records, text } = recorder();
    const log = createDebugLog({ level: 'debug', to: destination });
    log.debug({
      password: 'hunter2x',
      headers: { Authorization: 'hunter2x', Cookie: 'hunter2x', CSRFPreventionToken: 'hunter2x' },
      params: { cipassword: 'hunter2x', vmid: '100' },
    });
    log.info('login with %s', 'password=hunter2x');
    const error = Object.assign(new Error('answer: {"ticket":"hunter2x"}'), {
      config: { headers: { Authorization: 'hunter2x' } },
    });
    log.warn({ err: error }, 'request failed, PVEAuthCookie=hunter2x');
    expect(text()).not.toContain('hunter2x');
    const [fields, words, failure] = records();
    expect(fields).toMatchObject({ level: 20, password: '***', params: { cipassword: '***', vmid: '100' } });
    expect(words).toMatchObject({ level: 30, msg: 'login with password=***' });
    expect(failure).toMatchObject({ level: 40, err: { type: 'Error', message: 'answer: {"ticket":***}' } });
    expect(Object.keys(words!)).toEqual(['level', 'time', 'msg']);
  });

  test('is silent unless asked, and then leaves no file', () => {
    const { destination, text } = recorder();
    const file = join(folder, 'none.log');
    createDebugLog({ to: destination }).fatal('x');
    createDebugLog({ to: { file, onTrouble } }).fatal('x');
    expect(text()).toBe('');
    expect(() => statSync(file)).toThrow('ENOENT');
  });

  test('leaves out what is below the level', () => {
    const { destination, records } = recorder();
    const log = createDebugLog({ level: 'warn', to: destination });
    log.info('no');
    log.error('yes');
    expect(records().map((record) => record['msg'])).toEqual(['yes']);
  });

  test('appends to a file that only its owner may read, making its folder', () => {
    const file = join(folder, 'logs', 'run.log');
    for (const msg of ['first', 'second'])
      createDebugLog({ level: 'info', to: { file, onTrouble } }).info(msg);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['first', 'second']);
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  test('a file that cannot be written is a usage error', () => {
    const blocker = join(folder, 'blocker');
    writeFileSync(blocker, '');
    const open = () => createDebugLog({ level: 'info', to: { file: join(blocker, 'run.log'), onTrouble } });
    expect(open).toThrow(UsageError);
    expect(open).toThrow(`cannot write the log file ${join(blocker, 'run.log')}`);
  });

  test.each<[string, (file: string) => void, RegExp]>([
    ['a pipe', (file) => execFileSync('mkfifo', [file]), /it is not a regular file$/],
    ['a device', (file) => execFileSync('mknod', [file, 'c', '1', '3']), /it is not a regular file$/],
    ['a link', (file) => symlinkSync(join(folder, 'elsewhere'), file), /it is a symbolic link$/],
    ['a folder', (file) => execFileSync('mkdir', [file]), /it is a folder$/],
  ])('%s is no log file', (name, make, says) => {
    const file = join(folder, 'run.log');
    if (name === 'a device' && process.getuid?.() !== 0) return;
    make(file);
    expect(() => createDebugLog({ level: 'info', to: { file, onTrouble } })).toThrow(says);
  });
});
