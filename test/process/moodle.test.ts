/** The small Moodle for people: what it prints works to the letter. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { afterwards } from '../cleanups.ts';
import { runCli, workFolder } from '../e2e/harness.ts';

test('its course is imported by the command that it prints', async () => {
  const moodle = spawn(process.execPath, ['tools/moodle.mjs'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(moodle, 'exit');
  afterwards(async () => {
    moodle.kill();
    await gone;
  });
  let said = '';
  for await (const chunk of moodle.stdout) {
    said += String(chunk);
    if (said.includes('stop with')) break;
  }
  const [, token = ''] = /DEPLOY_STAND_MOODLE_TOKEN=(\S+)/.exec(said) ?? [];
  const [, command = ''] = /deploy-stand (users import .*)/.exec(said) ?? [];
  const out = join(workFolder(), 'users.yml');
  const run = await runCli(command.replace('users.yml', out).split(' '), undefined, {
    env: { DEPLOY_STAND_MOODLE_TOKEN: token },
  });
  expect([run.code, run.stdout]).toEqual([0, expect.stringContaining('25 users, 25 new')]);
});
