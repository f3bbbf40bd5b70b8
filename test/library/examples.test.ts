/** The programs of examples/library run, on the simulator, as they stand there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { workFolder } from '../e2e/harness.ts';

async function run(name: string, ...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  vi.stubEnv('PVE_HOST', '');
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  const argv = process.argv;
  process.argv = ['node', name, ...args];
  try {
    await import(`../../examples/library/${name}.mjs`);
  } finally {
    process.argv = argv;
    vi.unstubAllEnvs();
  }
  return lines;
}

const example = (lab: string): [string, string] => [`examples/${lab}/lab.yml`, `examples/${lab}/users.yml`];

test('deploy.mjs', async () => {
  const lines = await run('deploy', ...example('single-vm'), join(workFolder(), 'c.csv'));
  expect(lines[0]).toMatch(/^\d+ steps for 10 stands$/);
  expect(lines.filter((line) => /^student\d+@pve: complete, student-vm \d+$/.test(line))).toHaveLength(10);
});

test('term.mjs', async () => {
  const folder = workFolder();
  const page = join(folder, 'cards.html');
  const lines = await run('term', ...example('router-lab'), join(folder, 'c.csv'), page);
  expect(lines).toEqual([
    'deploy: done',
    expect.stringMatching(/^cards: [1-9]/),
    expect.stringMatching(/^bridges: [1-9]/),
    'cleanup: done',
  ]);
  expect(readFileSync(page, 'utf8')).toContain('<html');
});
