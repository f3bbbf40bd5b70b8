/** A takeover, and the cleanup after it, killed at every single write: run again, they end as if nothing had happened. */
import { describe, expect, test } from 'vitest';
import { parseLab, parseUsers } from '../../src/lib/config/load.ts';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import { cleanup } from '../../src/lib/workflow/cleanup.ts';
import { deploy, type DeployContext } from '../../src/lib/workflow/deploy.ts';
import { comparable } from '../e2e/cluster-view.ts';
import { dealOut } from '../e2e/losing.ts';
import { run } from './in-process.ts';

const { lab } = parseLab(
  `name: old
bridge_range: 1000-1999
machines:
  - { device_type: ecorouter, name: eco, template_node: pve1, template_vmid: 100, networks: [{ bridge: vmbr0 }, { bridge: hq }] }
  - { device_type: linux, name: lin, template_node: pve1, template_vmid: 101, networks: [{ bridge: hq.100 }] }
`,
  'lab.yml',
);
const { users } = parseUsers('users: [anna@pve, boris@pve]\n', 'users.yml');

const router = (vmid: number, pool: string, hq: string) => ({
  vmid,
  name: 'eco',
  node: 'pve1',
  pool,
  running: false,
  config: {
    net0: `vmxnet3=1C:87:76:40:${vmid - 100}:01,bridge=vmbr0,link_down=1`,
    net1: `vmxnet3=1C:87:76:40:${vmid - 100}:02,bridge=vmbr0`,
    net2: `vmxnet3=1C:87:76:40:${vmid - 100}:03,bridge=${hq}`,
  },
});

/** Two stands of the Python tool: anna's is whole, of boris a machine is missing; and others' things beside them. */
function scenario(version: '7.4' | '8.4' | '9.2'): Scenario {
  return {
    version,
    nodes: [{ name: 'pve1', bridges: ['vmbr0', 'vmbr1000', 'vmbr1001', 'vmbr1002'] }, { name: 'pve2' }],
    storages: [{ id: 'ceph', type: 'rbd' }],
    templates: [
      { vmid: 100, name: 'eco-tpl', node: 'pve1' },
      { vmid: 101, name: 'lin-tpl', node: 'pve1' },
    ],
    users: [{ userid: 'anna@pve' }, { userid: 'boris@pve', comment: 'of May' }],
    pools: [
      { pool: 'anna', comment: 'group 1' },
      { pool: 'boris', comment: 'group 2' },
    ],
    acl: ['anna', 'boris'].map((name) => ({
      path: `/pool/${name}`,
      role: 'PVEVMAdmin',
      user: `${name}@pve`,
    })),
    guests: [
      router(110, 'anna', 'vmbr1000'),
      {
        vmid: 111,
        name: 'lin',
        node: 'pve1',
        pool: 'anna',
        bridge: 'vmbr1000',
        description: 'homework\nof May',
      },
      router(120, 'boris', 'vmbr1001'),
      { vmid: 121, name: 'mine', node: 'pve1', pool: 'boris' },
      { vmid: 400, name: 'dns', node: 'pve1', type: 'lxc', bridge: 'vmbr1002' },
    ],
  };
}

const take = (context: DeployContext) =>
  deploy({ lab, users, options: { adopt: true, updateRunning: false } }, context);

const remove = (context: DeployContext) =>
  cleanup(
    {
      selection: {
        by: 'stands',
        lab: lab.name,
        labMachines: lab.machines,
        bridgeRange: lab.bridgeRange,
        users: users.map(({ userid, pool }) => ({ userid, pool })),
      },
      options: {
        keepUsers: false,
        adopt: false,
        includeMembers: false,
        forceProtected: false,
        lockWaitSeconds: 600,
        minAgeSeconds: 7200,
      },
    },
    context,
  );

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version) => {
  const cluster = scenario(version);

  async function survivesDeath(
    work: typeof take | typeof remove,
    from: ClusterState | undefined,
  ): Promise<ClusterState> {
    const wrecks: ClusterState[] = [];
    const undisturbed = await run(cluster, from, work, { watch: (state) => wrecks.push(state) });
    expect(undisturbed.value?.summary.status).toBe('done');
    const expected = comparable(undisturbed.state);
    expect(wrecks.length).toBeGreaterThan(8);
    for (const [at, wreck] of wrecks.entries()) {
      const again = await run(cluster, wreck, work);
      expect([at, again.error, comparable(again.state)]).toEqual([at, undefined, expected]);
    }
    if (version === '9.2')
      for (const faults of dealOut(undisturbed.writes, ['drop-after'])) {
        const unanswered = await run(cluster, from, work, { faults });
        expect([faults, unanswered.error, comparable(unanswered.state)]).toEqual([
          faults,
          undefined,
          expected,
        ]);
      }
    return undisturbed.state;
  }

  test('taken over, deployed again, removed', async () => {
    const taken = await survivesDeath(take, undefined);
    const notes = new Map(taken.guests.map((guest) => [guest.vmid, guest.config['description']?.trimEnd()]));
    expect(notes.get(111)).toBe(
      'homework\nof May\ndeploy-stand lab=old user=anna@pve machine=lin vmid=111 spec=adopted',
    );
    expect(notes.get(121)).toBe(undefined);
    const again = await run(cluster, taken, take);
    expect([again.value?.plan.steps, again.writes]).toEqual([[], []]);
    const removed = await survivesDeath(remove, taken);
    expect(removed.guests.map((guest) => guest.vmid).sort((a, b) => a - b)).toEqual([100, 101, 121, 400]);
    expect(removed.pools.map(({ poolid, comment }) => [poolid, comment])).toEqual([
      ['anna', 'group 1'],
      ['boris', 'group 2'],
    ]);
    expect(removed.acl).toHaveLength(2);
    expect(removed.users.map(({ userid, comment }) => [userid, comment])).toEqual([
      ['root@pam', ''],
      ['anna@pve', ''],
      ['boris@pve', 'of May'],
    ]);
    const [node] = removed.nodes;
    expect([node?.interfaces.map(({ iface }) => iface), node?.staged]).toEqual([
      ['lo', 'eno1', 'vmbr0', 'vmbr1002'],
      undefined,
    ]);
  });
});
