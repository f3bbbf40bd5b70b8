/** Bridges against the true simulator: what PVE says of them is not always what they are. */
import { describe, expect, test } from 'vitest';
import { formatBridgeMark } from '../../src/lib/marks/bridge.ts';
import { defaultScenario } from '../../src/lib/simulator/scenario.ts';
import { versions, type Version } from '../../src/lib/simulator/version.ts';
import { changeBridges } from '../../src/lib/workflow/bridges.ts';
import { run } from './in-process.ts';

const since = '2026-08-01T00:00:00Z';
const want = { do: 'create', names: ['vmbr77'], vlanAware: false, nodes: ['pve1'] } as const;
const OLD_MARK = `deploy-stand reserved since=${since}`;

function cluster(version: Version, comments?: readonly [string, string]) {
  const marked = (comments ?? []).map((text, i) => ({ name: `vmbr${77 + i}`, comments: text }));
  const bridges = ['vmbr0', ...marked, 'vmbr200'];
  return {
    ...defaultScenario(),
    version,
    nodes: [{ name: 'pve1', bridges }, { name: 'pve2' }, { name: 'pve3' }],
  };
}

describe.each(versions)('%s', (version) => {
  test('a bridge that was asked about during a reload is not taken for one that is down', async () => {
    const { value, error, writes } = await run(cluster(version), undefined, async (context) => {
      const { pve, tasks } = context;
      const comment = formatBridgeMark('vmbr77', { kind: 'reserved' }, since);
      await pve.createBridge('pve1', { iface: 'vmbr77', vlanAware: false, comment });
      const upid = await pve.reloadNetwork('pve1');
      // Each worker of pve1 answers, and keeps what it saw.
      for (let worker = 0; worker < 3; worker += 1) await pve.network('pve1');
      await tasks.wait(upid);
      const { rows } = await pve.network('pve1');
      const isActive = rows.find(({ iface }) => iface === 'vmbr77')?.active;
      const first = await changeBridges(want, context);
      return { isActive, first, again: await changeBridges(want, context) };
    });
    expect(error).toBeUndefined();
    expect(value?.isActive).toBe(false);
    expect(value?.first.summary.status).toBe('done');
    expect(writes).toContain('PUT /nodes/pve1/network/vmbr77');
    expect(value?.again.plan.steps).toEqual([]);
  });

  test.each([
    [
      'its name',
      [
        formatBridgeMark('vmbr77', { kind: 'reserved' }, since),
        formatBridgeMark('vmbr78', { kind: 'reserved' }, since),
      ],
    ],
    ['no name, twice the same', [OLD_MARK, OLD_MARK]],
  ] as const)(
    'a change that a killed run left staged is ours and is applied: a mark with %s',
    async (_what, marks) => {
      const { value, error, state } = await run(cluster(version, marks), undefined, async (context) => {
        await context.pve.updateBridge('pve1', { iface: 'vmbr77', vlanAware: true, comment: marks[0] });
        return changeBridges({ ...want, vlanAware: true }, context);
      });
      expect(error).toBeUndefined();
      expect(value?.plan.steps.map(({ id }) => id)).toEqual(['network.reload:pve1']);
      expect(value?.summary.status).toBe('done');
      expect(state.nodes[0]?.staged).toBeUndefined();
      expect(state.nodes[0]?.running['vmbr77']).toMatchObject({ vlanAware: true });
    },
  );
});
