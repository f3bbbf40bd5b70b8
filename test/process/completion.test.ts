/** Completion in real shells: the script is sourced, and answers as if somebody had pressed the tabulator. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { workFolder, writeFiles } from '../e2e/harness.ts';
import { BIN, NODE } from './bin.ts';

const ZSH = ['/usr/bin/zsh', '/bin/zsh'].find((path) => existsSync(path));

/** A folder with `deploy-stand` in it, to be put into PATH. */
function withCommand(): { readonly folder: string; readonly env: Record<string, string> } {
  const folder = workFolder();
  writeFiles(folder, {
    'deploy-stand': `#!/bin/sh\nexec ${NODE.join(' ')} "${BIN}" "$@"\n`,
    'connections.yml': 'school: { host: pve1 }\n',
    'lab.yml': '',
    '3a.yml': '',
  });
  chmodSync(join(folder, 'deploy-stand'), 0o755);
  return { folder, env: { PATH: `${folder}:${process.env['PATH'] ?? ''}`, HOME: folder } };
}

function run(shell: string, argv: readonly string[], script: string): string {
  const { folder, env } = withCommand();
  const { stdout, stderr, status } = spawnSync(shell, [...argv, script], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

const bash = (line: string): string =>
  run(
    '/bin/bash',
    ['--norc', '-c'],
    `source <(deploy-stand completion bash)
complete -p deploy-stand
COMP_LINE=${JSON.stringify(line)}; COMP_POINT=\${#COMP_LINE}
read -ra COMP_WORDS <<< "$COMP_LINE"; [ "\${COMP_LINE: -1}" = ' ' ] && COMP_WORDS+=('')
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_deploy-stand_completion; printf '%s\\n' "\${COMPREPLY[@]}"`,
  );

test('bash: commands, options, their values, names of connections; files are left to bash', () => {
  expect(bash('deploy-stand dep')).toBe(
    'complete -o default -F _deploy-stand_completion deploy-stand\ndeploy\n',
  );
  expect(bash('deploy-stand deploy --strategy s')).toMatch(/\nspecific\nsmart\n$/);
  expect(bash('deploy-stand --connection ')).toMatch(/\nschool\n$/);
  // Nothing of ours: `-o default` completes the file.
  expect(bash('deploy-stand deploy -c l')).toMatch(/completion deploy-stand\n\n$/);
});

describe.skipIf(ZSH === undefined)(`zsh${ZSH === undefined ? ' (skipped: it is not installed)' : ''}`, () => {
  const zsh = (line: string): string => {
    const words = line.split(' ').map((word) => `'${word}'`);
    return run(
      ZSH ?? '',
      ['-f', '-c'],
      `compdef() { registered="$1 $2" }
_describe() { print -rl -- "\${reply[@]}" }
_files() { print files }
compset() { print -r -- "$@" }
source <(deploy-stand completion zsh)
print -r -- $registered
BUFFER='${line}'; CURSOR=\${#BUFFER}; words=(${words.join(' ')}); CURRENT=\${#words}
_deploy-stand_completion`,
    );
  };

  test('commands with what they do, values, files', () => {
    expect(zsh('deploy-stand dep')).toMatch(/^_deploy-stand_completion deploy-stand\ndeploy:make the stands/);
    expect(zsh('deploy-stand report --format m')).toMatch(/\nmarkdown\n$/);
    expect(zsh('deploy-stand deploy -c ')).toMatch(/\n-P --\*=\nfiles\n$/);
  });
});
