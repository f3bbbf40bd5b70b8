/** A user with several pools of ours: each step is told with the stand that it is about, and once. */
import { expect, test } from 'vitest';
import { runCli, scenario, startCluster } from './harness.ts';

const claim = (vmid: number) =>
  `deploy-stand user=anna@pve\nlab=net vms=pc:${vmid} since=2026-01-01T00:00:00Z`;

test('the plan and the summary of cleanup', async () => {
  const cluster = await startCluster({
    scenario: scenario({
      version: '8.4',
      users: [{ userid: 'anna@pve', comment: 'deploy-stand since=2026-01-01T00:00:00Z' }],
      guests: [300, 301].map((vmid) => ({ vmid, name: `pc${vmid}`, node: 'pve1', pool: `p${vmid}` })),
      pools: [300, 301].map((vmid) => ({ pool: `p${vmid}`, comment: claim(vmid) })),
      acl: [{ path: '/pool/p301', role: 'PVEVMAdmin', user: 'anna@pve' }],
    }),
  });
  const shown = await runCli(['cleanup', '--user', 'anna@pve', '--dry-run'], cluster);
  const [, first = '', second = ''] = shown.stdout.split(/^anna@pve .*pool p30\d.*$/m);
  expect([first.includes('VM 300'), first.includes('VM 301'), first.includes('pool p301')]).toEqual([
    true,
    false,
    false,
  ]);
  expect([second.includes('VM 301'), second.includes('access of anna@pve to pool p301')]).toEqual([
    true,
    true,
  ]);
  expect([second.includes('VM 300'), second.includes('user anna@pve')]).toEqual([false, false]);
  cluster.addFault({
    match: { method: 'DELETE', path: /qemu\/301/ },
    action: 'fail',
    status: 500,
    text: 'no',
  });
  const run = await runCli(['cleanup', '--user', 'anna@pve', '--output', 'json'], cluster);
  const { stands } = (
    JSON.parse(run.stdout) as { summary: { stands: { pool: string; vms: { status: string }[] }[] } }
  ).summary;
  // The user, who stays, stands with the first.
  expect(stands.map(({ pool, vms }) => [pool, vms.map(({ status }) => status)])).toEqual([
    ['p300', ['removed']],
    // Switched off, and not removed.
    ['p301', ['stopped']],
  ]);
});
