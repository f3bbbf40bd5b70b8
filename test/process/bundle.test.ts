/** The command as one file, alone in a folder; the steps of the Dockerfile; and what npm packs, installed elsewhere. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { workFolder } from '../e2e/harness.ts';
import { isLengthy } from '../runs.ts';

const ROOT = resolve('.');
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** With nothing around it that a checkout has. */
function run(program: string, argv: readonly string[], cwd: string): Ran {
  const { PATH } = process.env;
  const { status, stdout, stderr } = spawnSync(program, argv, {
    ...{ cwd, encoding: 'utf8', env: { PATH: `${dirname(process.execPath)}:${PATH ?? ''}`, HOME: cwd } },
  });
  return { status, stdout, stderr };
}

function assertWorks(program: string): void {
  const folder = workFolder();
  expect(run(program, ['--version'], folder)).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  const help = run(program, ['--help'], folder);
  expect([help.status, help.stderr]).toEqual([0, '']);
  expect(help.stdout).toMatch(/^Usage: deploy-stand [^]*\n {2}serve /);
  expect(run(program, ['init', 'dmz', '--students', '2'], folder).status).toBe(0);
  const files = ['-c', 'dmz/lab.yml', '-u', 'dmz/users.yml'];
  const deployed = run(program, ['deploy', ...files, '--simulate', '--progress', 'none'], folder);
  expect([deployed.status, deployed.stderr]).toEqual([0, '']);
  expect(deployed.stdout).toContain('2 stands: 2 complete');
  expect(run(program, ['completion', 'bash'], folder).stdout).toContain('_deploy-stand_completion');
  const missing = run(program, ['validate', '-c', 'none.yml', '--output', 'json'], folder);
  expect([missing.status, JSON.parse(missing.stdout)]).toMatchObject([
    2,
    { error: { code: 'CONFIG_INVALID' } },
  ]);
  expect(run(program, ['deploy', '-c', 'dmz/lab.yml'], folder)).toMatchObject({
    ...{ status: 2, stdout: '', stderr: expect.stringContaining('MISSING_OPTION') as string },
  });
  expect(readdirSync(folder).sort()).toEqual(['credentials-dmz.csv', 'dmz']);
}

interface Line {
  readonly word: string;
  readonly rest: string;
}

/** Of one stage. */
function linesOf(stage: string): Line[] {
  return stage.split('\n').flatMap((line) => {
    const [, word, rest] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    return word === undefined || rest === undefined ? [] : [{ word, rest }];
  });
}

test('the steps of the Dockerfile, in a clean folder: one file comes out that works alone', () => {
  const [, build = '', last = ''] = readFileSync('Dockerfile', 'utf8').split(/^(?=FROM )/m);
  const [source, image] = [workFolder(), workFolder()];
  for (const { word, rest } of linesOf(build)) {
    if (word === 'COPY') {
      const names = rest.split(' ');
      const to = names.pop() ?? '';
      for (const name of names)
        cpSync(join(ROOT, name), join(source, to.endsWith('/') ? join(to, name) : to), { recursive: true });
    }
    if (word === 'RUN') {
      const command = rest.replace('/out/', `${image}/out/`);
      // What is installed is what is here; that it can be is for the long run to see.
      if (command.startsWith('npm ci') && !isLengthy)
        symlinkSync(join(ROOT, 'node_modules'), join(source, 'node_modules'));
      else execFileSync('sh', ['-c', command], { cwd: source, stdio: 'pipe' });
    }
  }
  const lines = linesOf(last);
  for (const { rest } of lines.filter(({ word }) => word === 'COPY')) {
    const [, from = '', to = ''] = rest.split(' ');
    mkdirSync(dirname(join(image, to)), { recursive: true });
    cpSync(join(image, from), join(image, to));
  }
  const of = (wanted: string): string | undefined => lines.find(({ word }) => word === wanted)?.rest;
  expect([of('USER'), of('CMD')]).toEqual(['node', '["--help"]']);
  const [entry = ''] = JSON.parse(of('ENTRYPOINT') ?? '') as string[];
  const program = join(image, 'usr/local/bin', entry);
  expect(existsSync(program)).toBe(true);
  assertWorks(program);
});

test.runIf(isLengthy)('what npm packs works where it is installed', () => {
  const [packed, prefix] = [workFolder(), workFolder()];
  const npm = (...argv: string[]): string =>
    execFileSync('npm', argv, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  npm('pack', '--pack-destination', packed);
  const [tarball = ''] = readdirSync(packed);
  npm('install', '--global', '--prefer-offline', '--no-audit', '--prefix', prefix, join(packed, tarball));
  expect(existsSync(join(prefix, 'share/man/man1/deploy-stand.1'))).toBe(true);
  assertWorks(join(prefix, 'bin/deploy-stand'));
});
