/** What is true of a node is told once, not for each student whose stand is there, and the same when run again. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { runCli, startCluster, workFolder, writeFiles } from './harness.ts';

const LAB = `name: net
machines:
  - { device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: hq.5 }] }
`;

const cluster = (version: '7.4' | '8.4' | '9.2', pve1: Readonly<Record<string, unknown>>): Scenario => ({
  version,
  nodes: [{ name: 'pve1', ...pve1 }],
  storages: [{ id: 'ceph', type: 'rbd' }],
  templates: [{ vmid: 101, name: 'tpl', node: 'pve1' }],
});

function files(): string[] {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [chris@pve, anna@pve, boris@pve]\n' });
  const at = (name: string) => join(folder, name);
  return ['-c', at('lab.yml'), '-u', at('users.yml'), '--credentials', at('c.csv')];
}

const countOf = (text: string, part: string): number => text.replaceAll(/\s+/g, ' ').split(part).length - 1;

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version) => {
  test('a reload that fails half-way, and fails again in the next run', async () => {
    const args = files();
    const simulator = await startCluster({
      scenario: cluster(version, {
        interfaces: [{ iface: 'bond7', type: 'bond', options: { autostart: '1' } }],
        failing_interfaces: ['bond7'],
      }),
    });
    const outs = [await runCli(['deploy', ...args], simulator), await runCli(['deploy', ...args], simulator)];
    for (const { code, stdout } of outs) {
      expect(code).toBe(5);
      expect(stdout).toContain('the same for 2 more: boris@pve, chris@pve');
      expect(countOf(stdout, '[RELOAD_FAILED]')).toBe(1);
      expect(countOf(stdout, 'changes of vmbr1000, vmbr1001, vmbr1002 may not be in force')).toBe(1);
    }
  });

  test('changes of somebody else that wait there', async () => {
    const args = files();
    const simulator = await startCluster({ scenario: cluster(version, { staged: [{ name: 'vmbr7' }] }) });
    const refused = await runCli(['deploy', ...args], simulator);
    expect([refused.code, countOf(refused.stderr, 'network changes that are not ours')]).toEqual([3, 1]);
  });
});
