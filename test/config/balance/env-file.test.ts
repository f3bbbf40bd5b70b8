import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBalance, parseBalance } from '../../../src/lib/config/balance/balance.ts';
import { parseBalanceEnv } from '../../../src/lib/config/balance/env-file.ts';
import { ConfigError, type ConfigIssue } from '../../../src/lib/errors.ts';

const TOKEN = '123456:AAsecret-secret-secret-secret';

/** As the VM Balancer's users have it: comments behind values, empty ones left in. */
const FILE = `# VM Balancer
VMMANAGER_HOST=https://vm.example.org
BALANCE_INTERVAL=600  # seconds
CLUSTER_IDS=north, south
MAX_MIGRATIONS_PER_CYCLE=2
MIGRATION_TIMEOUT=1800
CPU_OVERLOAD_THRESHOLD=7.0
CPU_TARGET_THRESHOLD=6.0
MEMORY_OVERLOAD_THRESHOLD=70.0
MEMORY_TARGET_THRESHOLD=60
EXCLUDE_SOURCE_NODES=
EXCLUDE_TARGET_NODES=pve4,pve5 # old ones
SSH_ENABLED=false
SSH_PASSWORD=hush
TELEGRAM_BOT_TOKEN=${TOKEN}
TELEGRAM_CHAT_ID=-100
`;

function issuesOf(text: string): readonly ConfigIssue[] {
  try {
    parseBalanceEnv(text, 'x.env');
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  return [];
}

test.skipIf(process.platform === 'win32')('its token is no secret of a balance.yml beside it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'balance-env-'));
  const file = join(folder, 'b.yml');
  const { overlay } = parseBalanceEnv(FILE, 'x.env');
  const warningsOf = (text: string): readonly string[] => {
    writeFileSync(file, text, { mode: 0o644 });
    return loadBalance(file, overlay).warnings;
  };
  expect(warningsOf('{}')).toEqual([]);
  expect(warningsOf('notify: { webhook: { url: "https://x.example/secret" } }')).toHaveLength(1);
  rmSync(folder, { recursive: true });
});

test('every variable finds its place in the words of balance.yml', () => {
  const { overlay, connections, warnings } = parseBalanceEnv(FILE, 'x.env');
  expect(overlay.raw).toEqual({
    interval: 600,
    max_migrations: 2,
    migration_timeout: 1800,
    overload: { load_per_core: 7, memory: 70 },
    target: { load_per_core: 6, memory: 60 },
    exclude: { target: ['pve4', 'pve5'] },
    notify: { telegram: { token: TOKEN, chat: '-100' } },
  });
  expect(connections).toEqual(['north', 'south']);
  expect(warnings.map((text) => text.split(' ', 2).join(' '))).toEqual([
    'x.env:2 VMMANAGER_HOST:',
    'x.env:7 CPU_OVERLOAD_THRESHOLD:',
    'x.env:14 SSH_PASSWORD:',
  ]);
  expect(warnings.join()).not.toMatch(/hush|secret/);
  const { config } = parseBalance('overload: { cpu: 50 }\ntarget: { cpu: 40 }\n', 'b.yml', overlay);
  expect(config).toMatchObject({
    interval: 600,
    overload: { cpu: 0.5, memory: 0.7, loadPerCore: 7 },
    target: { memory: 0.6 },
    excludeTarget: ['pve4', 'pve5'],
    migrationTimeout: 1800,
  });
});

test('with SSH its CPU score is ours: no warning', () => {
  const { warnings } = parseBalanceEnv(
    'SSH_ENABLED=true\nCPU_OVERLOAD_THRESHOLD=2\nCPU_TARGET_THRESHOLD=1.5\n',
    'x',
  );
  expect(warnings).toEqual([]);
});

describe('bad values', () => {
  test.each<[string, string, number, RegExp]>([
    ['BALANCE_INTERVAL=ten', 'BALANCE_INTERVAL', 1, /whole number/],
    ['\nMAX_MIGRATIONS_PER_CYCLE=0', 'MAX_MIGRATIONS_PER_CYCLE', 2, /at least 1/],
    ['MEMORY_OVERLOAD_THRESHOLD=170', 'MEMORY_OVERLOAD_THRESHOLD', 1, /percentage/],
    ['A=1\nexport MIGRATION_TIMEOUT=-5', 'MIGRATION_TIMEOUT', 2, /whole number/],
    ['MIGRATION_TIMEOUT=5\nMIGRATION_TIMEOUT=x', 'MIGRATION_TIMEOUT', 2, /whole number/],
    ['EXCLUDE_SOURCE_NODES=3,pve1', 'EXCLUDE_SOURCE_NODES', 1, /by number: 3/],
    ['TELEGRAM_CHAT_ID=-100', 'TELEGRAM_CHAT_ID', 1, /TELEGRAM_BOT_TOKEN/],
    [
      'MEMORY_OVERLOAD_THRESHOLD=70.0\nMEMORY_TARGET_THRESHOLD=80.0',
      'MEMORY_TARGET_THRESHOLD',
      2,
      /not below MEMORY_OVERLOAD_THRESHOLD=70\.0/,
    ],
  ])('%j', (text, path, line, message) => {
    const found = issuesOf(text).find((issue) => issue.path === path);
    expect(found).toMatchObject({ file: 'x.env', line, message: expect.stringMatching(message) as string });
    expect(found?.hint).toBeTruthy();
  });

  test('all at once, and never a secret', () => {
    const issues = issuesOf(
      `BALANCE_INTERVAL=x\nTELEGRAM_BOT_TOKEN=hush hush\nTELEGRAM_CHAT_ID=1\nCPU_TARGET_THRESHOLD=no\n`,
    );
    expect(issues.map(({ path }) => path)).toEqual([
      'BALANCE_INTERVAL',
      'TELEGRAM_BOT_TOKEN',
      'CPU_TARGET_THRESHOLD',
    ]);
    expect(JSON.stringify(issues)).not.toContain('hush');
  });

  test('an unknown variable is a warning with the near name', () => {
    expect(parseBalanceEnv('BALANCE_INTERVALL=5\n', 'x.env').warnings).toEqual([
      'x.env:1 BALANCE_INTERVALL: is not known and ignored; did you mean BALANCE_INTERVAL?',
    ]);
  });
});
