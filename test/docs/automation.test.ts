/** The command lines of the files for cron, systemd and GitLab do what they are there for. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, startCluster, workFolder } from '../e2e/harness.ts';

const FOLDER = 'examples/automation';

/** Of a key that nobody here has. */
const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

/** On the cluster of the simulator, with the files of an example. */
const FILES: readonly (readonly [RegExp, string])[] = [
  [/(\S*\/)?lab\.yml/, 'examples/single-vm/lab.yml'],
  [/(\S*\/)?users\.csv/, 'examples/single-vm/users.yml'],
];

function commandsIn(file: string): string[][] {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  return text.split('\n').flatMap((line) => {
    const [, words] = /(?:^ExecStart=\/usr\/bin\/|&& |^ +- )deploy-stand (.*?)(?: >> .*)?$/.exec(line) ?? [];
    if (line.startsWith('#') || words === undefined) return [];
    const named = FILES.reduce((all, [from, to]) => all.replace(from, to), words);
    return [named.split(' ')];
  });
}

const withCommands = readdirSync(FOLDER).filter((file) => !file.endsWith('.timer'));

test.each(withCommands)('%s', async (file) => {
  const commands = commandsIn(file);
  expect(commands.map(([command]) => command)).toContain('deploy');
  const simulator = await startCluster();
  const folder = workFolder();
  for (const words of commands) {
    const writes = words[0] === 'deploy' || words[1] === 'sync';
    const named = words.map((word, at) => (words[at - 1] === '--credentials' ? join(folder, word) : word));
    const kept = writes && !words.includes('--credentials') ? ['--credentials', join(folder, 'c.csv')] : [];
    const env = words.some((word) => word.endsWith('.age')) ? { DEPLOY_STAND_ENCRYPT_TO: RECIPIENT } : {};
    const { code, stderr } = await runCli([...named, ...kept], simulator, { env });
    const expected = words.includes('--detailed-exitcode') ? 6 : 0;
    expect([words.join(' '), code, code === expected ? '' : stderr]).toEqual([words.join(' '), expected, '']);
  }
});
