import { describe, expect, test } from 'vitest';
import type { NodeSummary, Summary } from '../../src/lib/outcome/types.ts';
import type { BridgeReport, BridgeRow } from '../../src/lib/plan/network/view.ts';
import type { Plan, PlannedNode } from '../../src/lib/plan/document/plan.ts';
import type { Step } from '../../src/lib/plan/document/step.ts';
import { renderBridges } from '../../src/lib/render/bridges-text.ts';
import { renderPlan } from '../../src/lib/render/plan-text.ts';
import { renderSummary } from '../../src/lib/render/summary-text.ts';
import { step } from './fixtures.ts';

const WIDE = { width: Infinity, color: false };

function plan(nodes: readonly PlannedNode[], steps: readonly Step[] = []): Plan {
  return {
    version: 2,
    command: 'bridges',
    lab: '',
    steps,
    stands: [],
    nodes,
    warnings: [],
  };
}

const steps = [
  step('bridge.create', 'pve1/vmbr60', { node: 'pve1', bridge: 'vmbr60', vlanAware: true, comment: '' }),
  step('network.reload', 'pve1', { node: 'pve1', bridges: ['vmbr60'] }, { reason: 'once, for all of them' }),
];
const refused = {
  code: 'FOREIGN_PENDING_CHANGES',
  message: 'changes that are not ours are staged on pve2:\n+iface vmbr7 inet manual',
  hint: 'apply or revert them',
};

function row(iface: string, more: Partial<BridgeRow> = {}): BridgeRow {
  return {
    node: 'pve1',
    iface,
    owner: 'foreign',
    vlanAware: false,
    ports: '',
    comments: '',
    state: 'active',
    guests: [],
    ...more,
  };
}

test('a plan is shown node by node, with refusals and what stays', () => {
  const text = renderPlan(
    plan(
      [
        { node: 'pve1', notes: ['vmbr9 stays'] },
        { node: 'pve2', refused, notes: [] },
      ],
      steps,
    ),
    WIDE,
  );
  expect(text).toBe(`Plan: bridges

pve1
  +  bridge vmbr60, VLAN-aware                    missing
  ~  network of pve1: reload, brings up 1 bridge  once, for all of them
  note: vmbr9 stays

pve2
  changes that are not ours are staged on pve2:
    +iface vmbr7 inet manual  [FOREIGN_PENDING_CHANGES]
    hint: apply or revert them

2 nodes; 2 steps: 1 bridge, 1 network reload`);
  expect(renderPlan(plan([]), WIDE)).toBe('Plan: bridges\n\nnothing to do');
});

describe('a summary', () => {
  const summary = (nodes: readonly NodeSummary[], status: Summary['status']): Summary => ({
    status,
    steps: { done: 1, failed: 1, skipped: 0 },
    stands: [],
    nodes,
  });

  test('has a line per bridge, and says what is not finished and how to finish it', () => {
    const nodes: NodeSummary[] = [
      {
        node: 'pve1',
        status: 'incomplete',
        bridges: [
          { iface: 'vmbr60', change: 'create', status: 'failed' },
          { iface: 'vmbr1000', change: 'remove', status: 'done' },
        ],
        notes: [],
        error: { code: 'BRIDGES_DOWN', message: 'vmbr60 did not come up' },
      },
      { node: 'pve2', status: 'unchanged', bridges: [], notes: ['vmbr9 stays'] },
    ];
    const options = { ...WIDE, resumeWays: ['deploy-stand bridges prune'] };
    expect(renderSummary(plan([]), summary(nodes, 'partial'), options)).toBe(`Bridges: partly done

NODE  BRIDGE    CHANGE  RESULT
pve1  vmbr60    create  failed
      vmbr1000  remove  done

Not finished
pve1: incomplete
  vmbr60 did not come up  [BRIDGES_DOWN]

Notes
  pve2: vmbr9 stays

To finish: deploy-stand bridges prune

2 nodes: 1 incomplete, 1 unchanged; steps: 1 done, 1 failed`);
  });

  test('of nothing is one line', () => {
    expect(renderSummary(plan([]), summary([], 'nothing-to-do'), WIDE)).toBe('Bridges: nothing to do');
  });
});

describe('the list', () => {
  test('names the guests, tells what is not in force, and how to mend what is ours', () => {
    const report: BridgeReport = {
      bridges: [
        row('vmbr0', {
          guests: [
            { vmid: 100, type: 'qemu' },
            { vmid: 101, type: 'qemu' },
            { vmid: 300, type: 'lxc' },
          ],
        }),
        row('vmbr1000', { owner: 'stand', user: 'a@pve', lab: 'net', network: 'lan', state: 'down' }),
        row('vmbr60', { node: 'pve2', owner: 'reserved', state: 'staged', vlanAware: true, guests: null }),
      ],
      mayBeShort: true,
      notes: ['the list may be short'],
    };
    expect(renderBridges(report, WIDE)).toBe(`NODE  BRIDGE    STATE    VLAN  OWNER     LAB  NETWORK  GUESTS
pve1  vmbr0     active         foreign                 100-101 CT 300
      vmbr1000  down           a@pve     net  lan      -
pve2  vmbr60    pending  yes   reserved                ?

note: the list may be short
To mend: deploy-stand bridges prune --node pve1,pve2

3 bridges: 1 of stands, 1 reserved, 1 foreign`);
  });

  test('at 60 columns numbers and names stay whole: what is as it should be is not told', () => {
    const guests = (...vmids: number[]) => ({
      guests: vmids.map((vmid) => ({ vmid, type: 'qemu' as const })),
    });
    const report: BridgeReport = {
      bridges: [
        row('vmbr0', guests(100, 101, 102, 200, 300, 10000)),
        row('vmbr1000', {
          ...{ owner: 'stand', user: 'anna@pve', lab: 'gwlab', network: 'hq' },
          ...guests(10000, 10001),
        }),
      ],
      mayBeShort: false,
      notes: [],
    };
    expect(renderBridges(report, { width: 60, color: false }))
      .toBe(`NODE  BRIDGE    OWNER     LAB    NETWORK  GUESTS
pve1  vmbr0     foreign                   100-102,200,300,
                                          10000
      vmbr1000  anna@pve  gwlab  hq       10000-10001

2 bridges: 1 of stands, 0 reserved, 1 foreign`);
    const down = { ...report, bridges: [...report.bridges, row('vmbr9', { state: 'down' })] };
    expect(renderBridges(down, { width: 60, color: false })).toContain('vmbr9     down');
  });

  test('does not offer to mend what is not ours', () => {
    const report = { bridges: [row('vmbr9', { state: 'down' })], mayBeShort: false, notes: [] };
    expect(renderBridges(report, WIDE)).not.toContain('To mend');
  });
});
