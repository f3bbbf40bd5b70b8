import { describe, expect, test } from 'vitest';
import { PlanRefusedError } from '../../../src/lib/errors.ts';
import type { BridgeInfo, BridgeUse, Inventory, PendingRow } from '../../../src/lib/inventory/types.ts';
import { viewBridges } from '../../../src/lib/plan/network/view.ts';
import { planBridgesCreate } from '../../../src/lib/plan/network/create.ts';
import { planBridgesPrune } from '../../../src/lib/plan/network/prune.ts';
import { assertSound } from '../../../src/lib/plan/document/graph.ts';
import { formatBridgeMark } from '../../../src/lib/marks/bridge.ts';
import { sealHash } from '../../../src/lib/marks/seal.ts';
import { formatVmMark } from '../../../src/lib/marks/vm.ts';
import type { NodesPlan } from '../../../src/lib/plan/document/plan.ts';
import { bridge, claimOf, guest, have, ids } from '../builders.ts';

const OLD = '2026-11-01T00:00:00Z';
/** One hour before the snapshot. */
const YOUNG = '2026-11-21T07:00:00Z';

function ours(iface: string, more: Partial<BridgeInfo> = {}, since = OLD, user = 'a@pve'): BridgeInfo {
  const comments = formatBridgeMark(iface, { kind: 'stand', lab: 'net', user, net: 'lan' }, since);
  return bridge(iface, { ports: [], comments, ...more });
}

function reservedOne(iface: string, more: Partial<BridgeInfo> = {}): BridgeInfo {
  return bridge(iface, { ports: [], comments: formatBridgeMark(iface, { kind: 'reserved' }, OLD), ...more });
}

function row(iface: string, change: PendingRow['change'], isOurs: boolean, text = `+${iface}`): PendingRow {
  return { iface, change, ours: isOurs, text };
}

function removedText(iface: string, comment: string): string {
  const lines = [`auto ${iface}`, `iface ${iface} inet manual`, '\tbridge-ports none', '\tbridge-stp off'];
  return [...lines, `#${comment}`].map((line) => `-${line}`).join('\n');
}

function named(vmid: number, bridges: readonly string[], more: Partial<BridgeUse> = {}): BridgeUse {
  const description = formatVmMark({ lab: 'net', user: 'a@pve', machine: 'pc', vmid, spec: 'x' });
  return { vmid, node: 'pve1', bridges, snapshotBridges: [], description, ...more };
}

const PC = { lab: 'net', user: 'a@pve', machine: 'pc', vmid: 10000 };
const SEAL = '5e'.repeat(16);
const madeOf = (vms: string) => `deploy-stand user=a@pve\nlab=net vms=${vms} since=${OLD}`;

interface OnPve1 {
  readonly bridges?: readonly BridgeInfo[];
  readonly pending?: readonly PendingRow[];
}

/** `pve1` as given, `pve2` with vmbr0 only; the guests of both were read. */
function cluster(pve1: OnPve1, more: Partial<Inventory> = {}): Inventory {
  return have({
    networks: [
      {
        node: 'pve1',
        readable: true,
        bridges: [bridge('vmbr0'), ...(pve1.bridges ?? [])],
        pending: pve1.pending ?? [],
      },
      { node: 'pve2', readable: true, bridges: [bridge('vmbr0')], pending: [] },
    ],
    bridgeUseNodes: ['pve1', 'pve2'],
    ...more,
  });
}

function prune(snapshot: Inventory, nodes?: readonly string[], minAgeSeconds = 7200): NodesPlan {
  const plan = planBridgesPrune({ have: snapshot, nodes, minAgeSeconds });
  assertSound(plan.steps);
  return plan;
}

function create(
  snapshot: Inventory,
  names: readonly string[],
  more: { vlanAware?: boolean; nodes?: string[] } = {},
): NodesPlan {
  return planBridgesCreate({ have: snapshot, names, vlanAware: more.vlanAware ?? false, nodes: more.nodes });
}

function refusal(act: () => unknown): PlanRefusedError {
  try {
    act();
  } catch (error) {
    if (error instanceof PlanRefusedError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

describe('prune removes', () => {
  const cases: readonly { name: string; snapshot: Inventory; steps: string[]; note?: string }[] = [
    {
      name: 'a bridge that no guest names, with one reload',
      snapshot: cluster({ bridges: [ours('vmbr1000'), ours('vmbr1001')] }),
      steps: ['bridge.delete:pve1/vmbr1000', 'bridge.delete:pve1/vmbr1001', 'network.reload:pve1'],
    },
    {
      name: 'not one that a VM names',
      snapshot: cluster({ bridges: [ours('vmbr1000')] }, { bridgeUse: [named(10000, ['vmbr1000'])] }),
      steps: [],
    },
    {
      name: 'not one that a container of somebody else names',
      snapshot: cluster(
        { bridges: [ours('vmbr1000')] },
        { guests: [guest(300, { type: 'lxc' })], bridgeUse: [named(300, ['vmbr1000'], { description: '' })] },
      ),
      steps: [],
    },
    {
      name: 'one that is only named by a guest of another node',
      snapshot: cluster(
        { bridges: [ours('vmbr1000')] },
        { bridgeUse: [named(10000, ['vmbr1000'], { node: 'pve2' })] },
      ),
      steps: ['bridge.delete:pve1/vmbr1000', 'network.reload:pve1'],
    },
    {
      name: 'never reserved ones, nor those of others',
      snapshot: cluster({
        bridges: [reservedOne('vmbr100'), bridge('vmbr1000', { ports: [], comments: 'lab' })],
      }),
      steps: [],
    },
    {
      name: 'not a young one',
      snapshot: cluster({ bridges: [ours('vmbr1000', {}, YOUNG)] }),
      steps: [],
      note: 'younger than --min-age',
    },
    {
      name: 'not one whose age cannot be told',
      snapshot: cluster({ bridges: [ours('vmbr1000', {}, 'yesterday')] }),
      steps: [],
      note: 'younger than --min-age',
    },
    {
      name: 'not one of a claim that is young, although the bridge is old',
      snapshot: cluster(
        { bridges: [ours('vmbr1000')] },
        { pools: [{ pool: 'a', comment: claimOf('a@pve', [10000]).replace(OLD, YOUNG) }] },
      ),
      steps: [],
      note: 'is being made',
    },
    {
      name: 'not one of a claim while anything is being cloned',
      snapshot: cluster(
        { bridges: [ours('vmbr1000')] },
        {
          pools: [{ pool: 'a', comment: claimOf('a@pve', [10000]) }],
          tasks: [{ node: 'pve1', type: 'qmclone', id: '101' }],
        },
      ),
      steps: [],
      note: 'is being made',
    },
    {
      name: 'not one whose stand has a VM that is not configured yet',
      snapshot: cluster(
        { bridges: [ours('vmbr1000')] },
        {
          pools: [{ pool: 'a', comment: claimOf('a@pve', [10000]) }],
          guests: [guest(10000)],
          bridgeUse: [named(10000, ['vmbr0'], { description: 'a template' })],
        },
      ),
      steps: [],
      note: 'never finished',
    },
    ...[PC, { ...PC, spec: 'x' }].map((mark) => ({
      name: `not one whose stand has a VM that has not joined its pool, ${'spec' in mark ? 'configured' : 'not configured yet'}`,
      snapshot: cluster(
        { bridges: [ours('vmbr1000')] },
        {
          pools: [{ pool: 'a', comment: madeOf(`pc:10000?${sealHash(SEAL, 10000)}`) }],
          guests: [guest(10000)],
          bridgeUse: [named(10000, ['vmbr0'], { description: formatVmMark({ ...mark, seal: SEAL }) })],
        },
      ),
      steps: [],
      note: 'never finished',
    })),
    {
      name: 'not one whose stand has a VM whose removal was cut short',
      snapshot: cluster(
        { bridges: [ours('vmbr1000')] },
        {
          pools: [{ pool: 'a', comment: madeOf('pc:10000') }],
          guests: [guest(10000, { pool: 'a', lock: 'destroyed' })],
          bridgeUse: [named(10000, ['vmbr0'], { description: '' })],
        },
      ),
      steps: [],
      note: 'never finished',
    },
    {
      name: 'not one whose stand has a VM in its pool without the seal of its reserved number',
      snapshot: cluster(
        { bridges: [ours('vmbr1000')] },
        {
          pools: [{ pool: 'a', comment: `${madeOf(`pc:10000?${sealHash(SEAL, 10000)}`)} clones=pool` }],
          guests: [guest(10000, { pool: 'a' })],
          bridgeUse: [named(10000, ['vmbr0'], { description: 'by hand' })],
        },
      ),
      steps: [],
      note: 'never finished',
    },
    {
      name: 'one whose stand is made, also when the notes of a VM were wiped',
      snapshot: cluster(
        { bridges: [ours('vmbr1000')] },
        {
          pools: [{ pool: 'a', comment: madeOf('pc:10000') }],
          guests: [guest(10000, { pool: 'a' })],
          bridgeUse: [named(10000, ['vmbr0'], { description: '' })],
        },
      ),
      steps: ['bridge.delete:pve1/vmbr1000', 'network.reload:pve1'],
    },
    {
      name: 'one at whose reserved number somebody else has made a VM',
      snapshot: cluster(
        { bridges: [ours('vmbr1000')] },
        {
          pools: [{ pool: 'a', comment: madeOf(`pc:10000?${sealHash(SEAL, 10000)}`) }],
          guests: [guest(10000)],
          bridgeUse: [named(10000, ['vmbr0'], { description: 'by hand' })],
        },
      ),
      steps: ['bridge.delete:pve1/vmbr1000', 'network.reload:pve1'],
    },
    {
      name: 'not one whose stand has a VM elsewhere that may be its, and cannot be read',
      snapshot: cluster(
        { bridges: [ours('vmbr1000')] },
        {
          pools: [{ pool: 'a', comment: madeOf(`pc:10000?${sealHash(SEAL, 10000)}`) }],
          guests: [guest(10000, { node: 'pve2' })],
          bridgeUse: [{ vmid: 10000, node: 'pve2', bridges: ['*'], snapshotBridges: [] }],
        },
      ),
      steps: [],
      note: 'never finished',
    },
    {
      name: 'one that a finished stand does not use any more',
      snapshot: cluster(
        { bridges: [ours('vmbr1000')] },
        {
          pools: [{ pool: 'a', comment: claimOf('a@pve', [10000]) }],
          guests: [guest(10000)],
          bridgeUse: [named(10000, ['vmbr0'])],
        },
      ),
      steps: ['bridge.delete:pve1/vmbr1000', 'network.reload:pve1'],
    },
    {
      name: 'one of a claim of which nothing is left',
      snapshot: cluster(
        { bridges: [ours('vmbr1000')] },
        { pools: [{ pool: 'a', comment: claimOf('a@pve', [10000]) }] },
      ),
      steps: ['bridge.delete:pve1/vmbr1000', 'network.reload:pve1'],
    },
    {
      name: 'none where a guest cannot be read',
      snapshot: cluster({ bridges: [ours('vmbr1000')] }, { bridgeUse: [named(300, ['*'])] }),
      steps: [],
      note: 'cannot be read',
    },
    {
      name: 'none where the guests were not read',
      snapshot: cluster({ bridges: [ours('vmbr1000')] }, { bridgeUseNodes: [] }),
      steps: [],
      note: 'were not read',
    },
    {
      name: 'none for a caller from whom guests may be hidden',
      snapshot: cluster({ bridges: [ours('vmbr1000')] }, { hidden: { bridges: false, guests: true } }),
      steps: [],
      note: 'VM.Audit',
    },
    {
      name: 'none that somebody gave a port',
      snapshot: cluster({ bridges: [ours('vmbr1000', { ports: ['eno2'] })] }),
      steps: [],
      note: 'eno2',
    },
    {
      name: 'none on which somebody gave the host an address',
      snapshot: cluster({ bridges: [ours('vmbr1000', { addresses: ['10.1.0.1/24'] })] }),
      steps: [],
      note: 'address 10.1.0.1/24',
    },
    {
      name: 'none that another bridge has as its port',
      snapshot: cluster({ bridges: [ours('vmbr1000', { above: ['vmbr9'] })] }),
      steps: [],
      note: 'vmbr9',
    },
  ];
  test.each(cases)('$name', ({ snapshot, steps, note }) => {
    const plan = prune(snapshot);
    expect(ids(plan)).toEqual(steps);
    const notes = plan.nodes.flatMap((node) => node.notes).join('\n');
    if (note !== undefined) expect(notes).toContain(note);
    else expect(notes).toBe('');
  });

  test('only on the nodes that were named', () => {
    expect(ids(prune(cluster({ bridges: [ours('vmbr1000')] }), ['pve2']))).toEqual([]);
  });
});

describe('prune applies once more', () => {
  const down = { active: false };
  const mark = ours('vmbr1000').comments;
  const cases: readonly { name: string; snapshot: Inventory; bridges: string[]; gone?: string[] }[] = [
    {
      name: 'what a failed apply left down, used or reserved',
      snapshot: cluster(
        { bridges: [ours('vmbr1000', down), reservedOne('vmbr100', down)] },
        { bridgeUse: [named(10000, ['vmbr1000'])] },
      ),
      bridges: ['vmbr100', 'vmbr1000'],
    },
    {
      name: 'what was staged and never applied',
      snapshot: cluster(
        { bridges: [ours('vmbr1000', down, YOUNG)], pending: [row('vmbr1000', 'added', true)] },
        {},
      ),
      bridges: ['vmbr1000'],
    },
    {
      name: 'a staged change',
      snapshot: cluster(
        { bridges: [ours('vmbr1000')], pending: [row('vmbr1000', 'changed', true)] },
        { bridgeUse: [named(10000, ['vmbr1000'])] },
      ),
      bridges: ['vmbr1000'],
    },
    {
      name: 'a staged removal',
      snapshot: cluster({ pending: [row('vmbr1000', 'removed', true, removedText('vmbr1000', mark))] }),
      bridges: [],
      gone: ['vmbr1000'],
    },
  ];
  test.each(cases)('$name', ({ snapshot, bridges, gone }) => {
    const plan = prune(snapshot);
    expect(plan.steps).toEqual([
      expect.objectContaining({ id: 'network.reload:pve1', bridges, ...(gone ? { gone } : {}) }),
    ]);
  });

  test('but not the bridges of others', () => {
    expect(ids(prune(cluster({ bridges: [bridge('vmbr7', down)] })))).toEqual([]);
  });

  test('but not a removal of a reserved bridge, which only people stage', () => {
    const pending = [
      row('vmbr100', 'removed', false, removedText('vmbr100', reservedOne('vmbr100').comments)),
    ];
    expect(ids(prune(cluster({ pending })))).toEqual([]);
    const both = cluster({ bridges: [ours('vmbr1000')], pending });
    expect(refusal(() => prune(both)).message).toContain('-iface vmbr100 inet manual');
  });
});

describe('a node with changes of others', () => {
  const foreign = row('vmbr7', 'added', false, '+iface vmbr7 inet manual');
  const mixed = (): Inventory => {
    const snapshot = cluster({ bridges: [ours('vmbr1000')], pending: [foreign] });
    const [pve1, pve2] = snapshot.networks;
    return { ...snapshot, networks: [pve1!, { ...pve2!, bridges: [ours('vmbr1001')] }] };
  };

  test('is refused with the diff, and the others go on', () => {
    const plan = prune(mixed());
    expect(ids(plan)).toEqual(['bridge.delete:pve2/vmbr1001', 'network.reload:pve2']);
    expect(plan.nodes[0]).toMatchObject({ node: 'pve1', refused: { code: 'FOREIGN_PENDING_CHANGES' } });
    expect(plan.nodes[0]?.refused?.message).toContain('+iface vmbr7 inet manual');
  });

  test('refuses the whole plan when no other node has work', () => {
    expect(refusal(() => prune(mixed(), ['pve1'])).code).toBe('FOREIGN_PENDING_CHANGES');
    expect(refusal(() => create(mixed(), ['vmbr50'], { nodes: ['pve1'] })).code).toBe(
      'FOREIGN_PENDING_CHANGES',
    );
  });

  test('does not matter where nothing is to be done', () => {
    expect(ids(prune(cluster({ pending: [foreign] })))).toEqual([]);
  });
});

describe('create', () => {
  test('makes a reserved bridge on every node, marked, with one reload each', () => {
    const plan = create(cluster({}), ['vmbr50', 'vmbr51'], { vlanAware: true });
    expect(ids(plan)).toEqual([
      'bridge.create:pve1/vmbr50',
      'bridge.create:pve1/vmbr51',
      'network.reload:pve1',
      'bridge.create:pve2/vmbr50',
      'bridge.create:pve2/vmbr51',
      'network.reload:pve2',
    ]);
    expect(plan.steps[0]).toMatchObject({
      vlanAware: true,
      comment: 'deploy-stand bridge=vmbr50 reserved since=2026-11-21T08:00:00Z',
    });
    expect(plan.steps[2]).toMatchObject({
      bridges: ['vmbr50', 'vmbr51'],
      after: ['bridge.create:pve1/vmbr50', 'bridge.create:pve1/vmbr51'],
    });
    expect(plan).toMatchObject({ command: 'bridges', stands: [], lab: '' });
  });

  const cases: readonly {
    name: string;
    snapshot: Inventory;
    vlanAware?: boolean;
    steps: string[];
    note?: string;
  }[] = [
    {
      name: 'nothing where it exists, whoever made it',
      snapshot: cluster({ bridges: [bridge('vmbr50')] }),
      steps: [],
    },
    {
      name: 'nothing where it is a vnet',
      snapshot: cluster({}, { vnets: ['vmbr50'] }),
      steps: [],
      note: 'SDN vnet',
    },
    {
      name: 'an apply where a former one left ours down',
      snapshot: cluster({ bridges: [reservedOne('vmbr50', { active: false })] }),
      steps: ['network.reload:pve1'],
    },
    {
      name: 'a note where one of others is down',
      snapshot: cluster({ bridges: [bridge('vmbr50', { active: false })] }),
      steps: [],
      note: 'not up',
    },
    {
      name: 'VLAN awareness for one of ours',
      snapshot: cluster({ bridges: [reservedOne('vmbr50')] }),
      vlanAware: true,
      steps: ['bridge.update:pve1/vmbr50', 'network.reload:pve1'],
    },
  ];
  test.each(cases)('plans $name', ({ snapshot, vlanAware = false, steps, note }) => {
    const plan = create(snapshot, ['vmbr50'], { vlanAware, nodes: ['pve1'] });
    expect(ids(plan)).toEqual(steps);
    expect(plan.nodes.flatMap((node) => node.notes).join('\n')).toContain(note ?? '');
  });

  const refused: readonly { name: string; act: () => unknown; code: string; text: string }[] = [
    {
      name: 'a node that does not exist',
      act: () => create(cluster({}), ['vmbr50'], { nodes: ['pve9'] }),
      code: 'NO_SUCH_NODE',
      text: 'pve9',
    },
    {
      name: "a stand's bridge",
      act: () => create(cluster({ bridges: [ours('vmbr1000')] }), ['vmbr1000'], { nodes: ['pve1'] }),
      code: 'BRIDGE_TAKEN',
      text: 'a@pve',
    },
    {
      name: 'VLAN awareness of a bridge of others',
      act: () =>
        create(cluster({ bridges: [bridge('vmbr50')] }), ['vmbr50'], { vlanAware: true, nodes: ['pve1'] }),
      code: 'BRIDGE_TAKEN',
      text: 'not VLAN-aware',
    },
    {
      name: 'a free name on PVE 7.4',
      act: () => create(cluster({}, { version: '7.4' }), ['intern']),
      code: 'BRIDGE_NAME',
      text: 'intern',
    },
    {
      name: 'a node that is away',
      act: () =>
        create({ ...cluster({}), networks: [{ node: 'pve1', readable: false, bridges: [], pending: [] }] }, [
          'vmbr50',
        ]),
      code: 'NODE_UNREACHABLE',
      text: 'pve1',
    },
  ];
  test.each(refused)('refuses $name', ({ act, code, text }) => {
    const error = refusal(act);
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
  });

  test('takes a free name since 8.2, and a vmbrN on 7.4', () => {
    expect(ids(create(cluster({}), ['intern'], { nodes: ['pve1'] }))).toHaveLength(2);
    expect(ids(create(cluster({}, { version: '7.4' }), ['vmbr50'], { nodes: ['pve1'] }))).toHaveLength(2);
  });

  test('warns that a name may be taken where bridges are hidden', () => {
    const plan = create(cluster({}, { hidden: { bridges: true, guests: true } }), ['vmbr50']);
    expect(plan.warnings).toEqual([expect.stringContaining('SDN.Audit')]);
  });
});

describe('list', () => {
  const mark = ours('vmbr1003').comments;
  const snapshot = cluster(
    {
      bridges: [
        ours('vmbr1001', { active: false }),
        ours('vmbr1000', { vlanAware: true }),
        ours('vmbr1002', { active: false }),
        reservedOne('vmbr100'),
      ],
      pending: [
        row('vmbr1002', 'added', true),
        row('vmbr1003', 'removed', true, removedText('vmbr1003', mark)),
        row('eno7', 'removed', false, '-iface eno7 inet manual'),
      ],
    },
    {
      guests: [guest(10000), guest(300, { type: 'lxc' })],
      bridgeUse: [named(10000, ['vmbr1000', 'vmbr1000']), named(300, ['vmbr1000', 'vmbr9'])],
    },
  );

  test('shows owner, state and users of every bridge', () => {
    const { bridges } = viewBridges(snapshot);
    expect(
      bridges.filter(({ node }) => node === 'pve1').map(({ iface, state, owner }) => [iface, owner, state]),
    ).toEqual([
      ['vmbr0', 'foreign', 'active'],
      ['vmbr100', 'reserved', 'active'],
      ['vmbr1000', 'stand', 'active'],
      ['vmbr1001', 'stand', 'down'],
      ['vmbr1002', 'stand', 'staged'],
      ['vmbr1003', 'stand', 'going'],
    ]);
    expect(bridges.find(({ iface }) => iface === 'vmbr1000')).toMatchObject({
      user: 'a@pve',
      lab: 'net',
      network: 'lan',
      since: OLD,
      vlanAware: true,
      guests: [
        { vmid: 300, type: 'lxc' },
        { vmid: 10000, type: 'qemu' },
      ],
    });
  });

  test('does not take a name for free that a guest uses and the list lacks', () => {
    const report = viewBridges(snapshot, ['pve1']);
    expect(report.mayBeShort).toBe(true);
    expect(report.notes.join('\n')).toContain('guest 300 names vmbr9, which is not listed');
    expect(viewBridges({ ...snapshot, vnets: ['vmbr9'] }).mayBeShort).toBe(false);
  });

  test('says what the rights of the caller hide', () => {
    const report = viewBridges(cluster({}, { hidden: { bridges: true, guests: false } }));
    expect(report.mayBeShort).toBe(true);
    expect(report.notes).toEqual([expect.stringContaining('SDN.Audit on /sdn/zones/localnetwork')]);
  });

  test('does not call a bridge unused whose guests were not read', () => {
    const { bridges } = viewBridges(cluster({ bridges: [ours('vmbr1000')] }, { bridgeUseNodes: ['pve2'] }));
    expect(bridges.find(({ iface }) => iface === 'vmbr1000')?.guests).toBe(null);
  });

  test('names staged changes of others, and nodes that are away', () => {
    const away = { node: 'pve2', readable: false, bridges: [], pending: [] };
    const { notes } = viewBridges({ ...snapshot, networks: [snapshot.networks[0]!, away] });
    expect(notes.join('\n')).toContain('eno7');
    expect(notes.join('\n')).toContain('pve2 is not listed');
  });
});

test('the order of what was read does not matter', () => {
  const snapshot = cluster(
    { bridges: [ours('vmbr1000'), ours('vmbr1001', { active: false }), ours('vmbr1002')] },
    { bridgeUse: [named(10000, ['vmbr1001']), named(10001, ['vmbr0'])] },
  );
  const shuffled: Inventory = {
    ...snapshot,
    networks: [...snapshot.networks]
      .reverse()
      .map((network) => ({ ...network, bridges: [...network.bridges].reverse() })),
    bridgeUse: [...snapshot.bridgeUse].reverse(),
    nodes: [...snapshot.nodes].reverse(),
  };
  expect(prune(shuffled)).toEqual(prune(snapshot));
  expect(create(shuffled, ['vmbr51', 'vmbr50'])).toEqual(create(snapshot, ['vmbr50', 'vmbr51']));
  expect(viewBridges(shuffled)).toEqual(viewBridges(snapshot));
});
