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
  return thrownBy(() => parseBalanceEnv(text, 'x.env'));
}

function thrownBy(read: () => unknown): readonly ConfigIssue[] {
  try {
    read();
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
  expect(
    warningsOf('notify: { webhook: { url: "env:HOOK", headers: { Authorization: secret } } }'),
  ).toHaveLength(1);
  expect(
    warningsOf('notify: { webhook: { url: "env:HOOK", headers: { Authorization: "env:KEY" } } }'),
  ).toEqual([]);
  rmSync(folder, { recursive: true });
});

test('every variable finds its place in the words of balance.yml', () => {
  const { overlay, connections, warnings } = parseBalanceEnv(FILE, 'x.env');
  expect(overlay.raw).toEqual({
    interval: 600,
    max_migrations: 2,
    migration_timeout: 1800,
    // Without SSH it was virtual CPUs per core, and it is.
    measures: ['load', 'allocation'],
    overload: { vcpus_per_core: 7, memory: 70 },
    target: { vcpus_per_core: 6, memory: 60 },
    exclude: { target: ['pve4', 'pve5'] },
    notify: { telegram: { token: TOKEN, chat: '-100' } },
  });
  expect(connections).toEqual(['north', 'south']);
  expect(warnings.map((text) => text.split(' ', 2).join(' '))).toEqual([
    'x.env:2 VMMANAGER_HOST:',
    'x.env:14 SSH_PASSWORD:',
  ]);
  expect(warnings.join()).not.toMatch(/hush|secret/);
  const { config } = parseBalance('overload: { cpu: 50 }\ntarget: { cpu: 40 }\n', 'b.yml', overlay);
  expect(config).toMatchObject({
    interval: 600,
    overload: { cpu: 0.5, memory: 0.7, vcpusPerCore: 7 },
    target: { memory: 0.6 },
    excludeTarget: ['pve4', 'pve5'],
    migrationTimeout: 1800,
  });
});

test('with SSH its CPU score is ours: no warning', () => {
  const { warnings, overlay } = parseBalanceEnv(
    'SSH_ENABLED=true\nCPU_OVERLOAD_THRESHOLD=2\nCPU_TARGET_THRESHOLD=1.5\n',
    'x',
  );
  expect(warnings).toEqual([]);
  expect(overlay.raw).toMatchObject({ overload: { load_per_core: 2 }, target: { load_per_core: 1.5 } });
});

test('a target that is not below its limit is as much as the limit allows, and told', () => {
  const { warnings, overlay } = parseBalanceEnv(
    'MEMORY_OVERLOAD_THRESHOLD=70.0\nMEMORY_TARGET_THRESHOLD=80.0\nCPU_TARGET_THRESHOLD=9',
    'x.env',
  );
  expect(overlay.raw).toMatchObject({
    overload: { memory: 70, vcpus_per_core: 7 },
    target: { memory: 66, vcpus_per_core: 6.65 },
  });
  expect(warnings).toEqual([
    expect.stringMatching(/^x\.env:2 MEMORY_TARGET_THRESHOLD: is not below MEMORY_OVERLOAD_THRESHOLD=70/),
    expect.stringMatching(/^x\.env:3 CPU_TARGET_THRESHOLD: is not below CPU_OVERLOAD_THRESHOLD=7/),
  ]);
});

test('a file that logs in to VMmanager is one for VMmanager: clusters, numbers of nodes, SSH', () => {
  const text = `VMMANAGER_HOST=https://vm.example.org
VMMANAGER_USERNAME=admin@example.org
VMMANAGER_PASSWORD=hush-hush-hush
VERIFY_SSL=false
CLUSTER_IDS=1, 2
EXCLUDE_SOURCE_NODES=3,node4
LOG_LEVEL=DEBUG
SSH_ENABLED=yes
SSH_USERNAME=root
SSH_PRIVATE_KEY_PATH=/root/.ssh/id_ed25519
SSH_TIMEOUT=5
SSH_HOSTS_MAPPING={"node1": "192.0.2.1"}
VM_BALANCER_LANG=ru
`;
  expect(parseBalanceEnv(text, 'x.env')).toMatchObject({
    connections: [],
    clusters: ['1', '2'],
    installation: {
      platform: 'vmmanager6',
      hosts: ['vm.example.org:443'],
      auth: { kind: 'password', user: 'admin@example.org', password: 'hush-hush-hush' },
      tls: { verify: false },
    },
    overlay: { raw: { exclude: { source: ['3', 'node4'] } } },
    ssh: {
      user: 'root',
      keyFile: '/root/.ssh/id_ed25519',
      timeout: 5,
      hosts: { node1: '192.0.2.1' },
    },
    logLevel: 'debug',
    language: 'ru',
    warnings: [],
  });
  // The command line names a cluster of Proxmox VE: the login is told to mean nothing.
  const pve = parseBalanceEnv(text.replace('=3,', '='), 'x.env', { platform: 'pve' });
  expect([pve.installation, pve.ssh, pve.connections]).toEqual([undefined, undefined, ['1', '2']]);
  expect(pve.warnings.join('\n')).not.toContain('hush');
  expect(pve.warnings).toHaveLength(8);
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
    ['LOG_LEVEL=LOUD', 'LOG_LEVEL', 1, /no level/],
    ['VERIFY_SSL=maybe', 'VERIFY_SSL', 1, /neither true nor false/],
  ])('%j', (text, path, line, message) => {
    const found = issuesOf(text).find((issue) => issue.path === path);
    expect(found).toMatchObject({ file: 'x.env', line, message: expect.stringMatching(message) as string });
    expect(found?.hint).toBeTruthy();
  });

  /** What only the rules of balance.yml refuse, with and without such a file beside it. */
  test.each<[string, object]>([
    ['\nBALANCE_INTERVAL= 5', { line: 2, column: 19, path: 'BALANCE_INTERVAL', value: '5' }],
    ['MIGRATION_TIMEOUT=2', { line: 1, column: 19, path: 'MIGRATION_TIMEOUT', value: '2' }],
    ['MAX_MIGRATIONS_PER_CYCLE=99999', { line: 1, path: 'MAX_MIGRATIONS_PER_CYCLE', value: '99999' }],
    ['CPU_OVERLOAD_THRESHOLD=0.001', { line: 1, path: 'CPU_OVERLOAD_THRESHOLD', value: '0.001' }],
    [
      'SSH_ENABLED=1\nCPU_TARGET_THRESHOLD=8\nCPU_OVERLOAD_THRESHOLD=700',
      { line: 3, column: 24, path: 'CPU_OVERLOAD_THRESHOLD', value: '700' },
    ],
  ])('%j stands where it is written', (text, place) => {
    const { overlay } = parseBalanceEnv(text, 'x.env');
    for (const file of ['x.env', 'b.yml']) {
      const issues = thrownBy(() => parseBalance('cooldown: 1h\n', file, overlay));
      expect(issues[0]).toMatchObject({ file: 'x.env', ...place });
      expect(issues[0]?.hint).toMatch(/^e\.g\. /);
      expect(new Set(issues.map(({ path, message }) => path + message)).size).toBe(issues.length);
    }
  });

  test('a fraction is no percentage', () => {
    expect(issuesOf('MEMORY_TARGET_THRESHOLD=0.5')).toMatchObject([
      { line: 1, column: 25, path: 'MEMORY_TARGET_THRESHOLD', value: '0.5' },
    ]);
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
