/** What people read of a round, and what Prometheus does. */
import { describe, expect, test } from 'vitest';
import type { BalancePlan } from '../../src/lib/plan/document/plan.ts';
import type { MoveSummary, BalanceSummary } from '../../src/lib/outcome/types.ts';
import type { BalanceReport, NodeLoad, PlannedMove } from '../../src/lib/plan/document/balance-report.ts';
import { failureMessage, moveMessage, summaryMessage } from '../../src/lib/render/balance-messages.ts';
import { renderBalance } from '../../src/lib/render/balance-text.ts';
import { formatMetrics } from '../../src/lib/workflow/balance-metrics.ts';
import { plan } from './fixtures.ts';

const load = (cpu: number, memory: number, severity: number): NodeLoad => ({
  cpu,
  memory,
  committed: 0.5,
  severity,
});
const [hot, mild, idle] = [load(0.9, 0.5, 1.2), load(0.6, 0.4, 0.8), load(0.1, 0.1, 0.1)];

const move: PlannedMove = {
  unit: 'stand',
  name: 'stand net of anna@pve',
  why: 'overload',
  from: ['pve1'],
  to: 'pve2',
  guests: [
    { vmid: 101, name: 'a', from: 'pve1', running: true, ha: false, bytes: 2 ** 30 },
    { vmid: 102, name: 'b\u001b[31m', from: 'pve1', running: true, ha: false, bytes: 2 ** 30 },
  ],
  bytes: 2 ** 31,
  reason: 'relieves pve1',
  loads: { source: { before: hot, after: mild }, target: { before: idle, after: idle } },
};

const report: BalanceReport = {
  verdict: 'moves',
  reason: '2 migrations planned',
  mode: 'threshold',
  imbalance: { before: 0.8, after: 0.4 },
  nodes: [
    ['pve1', hot, mild, 5, 3, ['CPU 90 % > 75 %']],
    ['pve2', idle, idle, 0, 2, []],
  ].map(([node, before, after, from, to, overloaded]) => ({
    node: node as string,
    online: true,
    maintenance: false,
    before: before as NodeLoad,
    after: after as NodeLoad,
    overloaded: overloaded as string[],
    guests: { before: from as number, after: to as number },
  })),
  moves: [move],
  rejected: ['201', '202', '203'].map((vmid) => ({
    unit: 'guest',
    name: `VM ${vmid}`,
    vmids: [Number(vmid)],
    node: 'pve1',
    code: vmid === '203' ? 'locked' : 'ha',
    reason: vmid === '203' ? 'is locked (backup)' : 'is managed by HA',
  })),
  stuck: [],
  deferred: 0,
  inFlight: [],
};

const done: MoveSummary = {
  unit: 'stand',
  name: move.name,
  to: 'pve2',
  status: 'moved',
  bytes: 2 ** 31,
  guests: move.guests.map(({ vmid, name }) => ({ vmid, name, node: 'pve2', status: 'moved' })),
};
const torn: MoveSummary = {
  ...done,
  status: 'partial',
  bytes: 2 ** 30,
  guests: [
    { vmid: 101, name: 'a', node: 'pve2', status: 'moved' },
    { vmid: 102, name: 'b', node: 'pve1', status: 'failed' },
  ],
  error: { code: 'MIGRATION_FAILED', message: 'migration aborted' },
};

function summary(status: BalanceSummary['status'], moves: readonly MoveSummary[]): BalanceSummary {
  return { status, steps: { done: 1, failed: 0, skipped: 0 }, stands: [], moves };
}

const options = { width: Infinity, color: false };
const balancePlan = (over: Partial<BalanceReport> = {}, warnings: readonly string[] = []) =>
  plan<BalancePlan>([], { command: 'balance', balance: { ...report, ...over }, warnings });

describe('text', () => {
  test.each(['linked-clone', 'local-disks', 'ha', 'locked', 'passthrough'])(
    '%s has Russian words',
    (code) => {
      const rejected = [
        { unit: 'guest' as const, name: 'VM 1 (a)', vmids: [1], node: 'n1', code, reason: 'in English' },
      ];
      const text = renderBalance(balancePlan({ rejected }), summary('done', [done]), {
        ...options,
        language: 'ru',
      });
      expect(text).toMatch(new RegExp(`${code}: VM 1[^\\n]*: [^\\n]*[а-я]{3}`));
      expect(text).not.toContain('in English');
    },
  );

  test('done: loads before and after, moves with reasons, rejections by reason', () => {
    expect(renderBalance(balancePlan(), summary('done', [done]), options)).toMatchInlineSnapshot(`
      "balance: done (2 guests moved, 2.0 GiB, imbalance 0.80 → 0.40)

      NODE          CPU               MEMORY            LOAD/CORE  GUESTS
      pve1  before  █████████░  90 %  █████░░░░░  50 %  -          5       CPU 90 % > 75 %
            after   ██████░░░░  60 %  ████░░░░░░  40 %  -          3
      pve2  before  █░░░░░░░░░  10 %  █░░░░░░░░░  10 %  -          0
            after   █░░░░░░░░░  10 %  █░░░░░░░░░  10 %  -          2

      Moves
        moved: stand net of anna@pve: pve1 → pve2, 2.0 GiB
            because relieves pve1

      Not moved
        ha: 2, e.g. VM 201: is managed by HA
        locked: VM 203: is locked (backup)"
    `);
  });

  test('half done: who is where, and no word of an "after" that did not come', () => {
    const text = renderBalance(balancePlan(), summary('partial', [torn]), options);
    expect(text).toContain('VM 101 (a): moved, on pve2');
    expect(text).toContain('VM 102 (b): failed, on pve1');
    expect(text).toContain('migration aborted');
    expect(text).not.toMatch(/^ *after/m);
  });

  test('a target that failed, and what was moved instead: the same one elsewhere, or another', () => {
    const failed: MoveSummary = { ...torn, status: 'failed', bytes: 0 };
    const elsewhere: MoveSummary = { ...done, to: 'pve3' };
    const text = renderBalance(balancePlan(), summary('partial', [failed, elsewhere]), options);
    expect(text).toContain('failed: stand net of anna@pve: pve1 → pve2');
    expect(text).toContain('moved: stand net of anna@pve: → pve3, 2.0 GiB');
    expect(text.indexOf('failed: stand')).toBeLessThan(text.indexOf('planned anew'));
  });

  test('why each node is no target', () => {
    const [first] = report.rejected;
    const targets = [
      { code: 'no-target', reason: 'is no target: CPU 70 % ≥ 60 %', nodes: ['pve2', 'pve3', 'pve4'] },
      { code: 'offline', reason: 'is offline', nodes: ['pve5'] },
    ];
    const rejected = [{ ...first!, code: 'no-target', reason: 'no node can take it', targets }];
    expect(renderBalance(balancePlan({ rejected }), summary('done', [done]), options)).toContain(
      'no-target: VM 201: no node can take it (pve2 and 2 more: is no target: CPU 70 % ≥ 60 %; pve5: is offline)',
    );
  });

  test('emptying a node: those that could not get away stay as well', () => {
    const over = { evacuate: ['pve1'], remaining: [200, 99] };
    const text = renderBalance(balancePlan(over), summary('interrupted', [torn]), options);
    expect(text).toContain('3 guests stay on pve1: 99, 102, 200');
  });

  test('nothing to do is one line, with its warnings', () => {
    const calm = {
      ...report,
      moves: [],
      rejected: [],
      reason: 'no node is overloaded',
      nodes: [report.nodes[1]!],
    };
    const text = (warnings: readonly string[]) =>
      renderBalance(balancePlan(calm, warnings), summary('nothing-to-do', []), options);
    expect(text([])).toBe('no node is overloaded (imbalance 0.80)');
    expect(text(['w']).split('\n').at(-1)).toBe('Warning: w');
  });

  test('a hundred nodes: quiet ones are counted', () => {
    const quiet = Array.from({ length: 100 }, (_, i) => ({
      ...report.nodes[1]!,
      node: `q${i}`,
      guests: { before: 1, after: 1 },
    }));
    const text = renderBalance(
      balancePlan({ nodes: [...report.nodes, ...quiet] }),
      summary('done', [done]),
      options,
    );
    expect(text).toContain('100 other nodes: CPU 10–10 %, memory 10–10 %');
    expect(text.split('\n').length).toBeLessThan(20);
  });

  test('names of others never reach the terminal raw', () => {
    const text = renderBalance(
      balancePlan({ moves: [{ ...move, name: 'VM \u001b[2J' }] }),
      summary('dry-run', []),
      options,
    );
    expect(text).not.toContain('\u001b');
  });
});

test('messages are short, and name the cluster', () => {
  const about = (connection: string, language: 'en' | 'ru' = 'en') => ({ connection, language });
  expect(moveMessage(about(''), { vmid: 1, node: 'a', target: 'b' }, 1499)).toBe(
    'deploy-stand balance: VM 1 moved from a to b in 1 s',
  );
  expect(failureMessage(about('north'), 'x')).toBe('deploy-stand balance, north: FAILED: x');
  const many = Array.from({ length: 50 }, () => torn);
  expect(moveMessage(about('', 'ru'), { vmid: 1, node: 'a', target: 'b' }, 1499)).toBe(
    'балансировка deploy-stand: машина 1 перенесена с a на b за 1 с',
  );
  expect(summaryMessage(about(''), report, summary('partial', many)).split('\n')).toHaveLength(21);
});

test('metrics: of every cluster, also of one that failed', async () => {
  const at = { ended: 1000, seconds: 2.5 };
  const text = await formatMetrics([
    { connection: 'a', exitCode: 5, ...at, result: { report, summary: summary('partial', [torn]) } },
    { connection: 'b', exitCode: 4, ...at },
  ]);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines.map((line) => line.replace('deploy_stand_balance_', ''))).toEqual([
    'success{connection="a"} 0',
    'success{connection="b"} 0',
    'exit_code{connection="a"} 5',
    'exit_code{connection="b"} 4',
    'last_run_timestamp_seconds{connection="a"} 1000',
    'last_run_timestamp_seconds{connection="b"} 1000',
    'duration_seconds{connection="a"} 2.5',
    'duration_seconds{connection="b"} 2.5',
    'imbalance{connection="a",phase="before"} 0.8',
    'imbalance{connection="a",phase="after"} 0.4',
    'overloaded_nodes{connection="a"} 1',
    'moves{connection="a",result="moved"} 1',
    'moves{connection="a",result="failed"} 1',
    'moves{connection="a",result="skipped"} 0',
    'moved_bytes{connection="a"} 1073741824',
    'rejected{connection="a"} 3',
  ]);
});
