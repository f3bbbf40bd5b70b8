/** What is wrong, in words: what is the same of many machines is one line. */
import { expect, test } from 'vitest';
import type { Problem } from '../../src/lib/plan/views/status-types.ts';
import { problemTexts } from '../../src/lib/render/status-problems.ts';

const failed = (vmid: number, detail: string, node = 'pve1'): Problem => ({
  ...{ kind: 'task-failed', user: `s${vmid}@pve`, lab: 'net', machine: 'pc', vmid, node, detail },
});

test('failures of one kind on one node are folded, also where PVE names the VM in them; others stay as they are', () => {
  const locked = (vmid: number, node?: string) =>
    failed(vmid, `qmrollback: can't lock file '/var/lock/qemu-server/lock-${vmid}.conf' - got timeout`, node);
  const [text] = problemTexts([
    ...[10000, 10001, 10002, 10010].map((vmid) => locked(vmid)),
    locked(10020, 'pve2'),
    failed(10003, 'qmstart: no space left'),
  ]);
  expect(text?.of).toEqual([
    "VM 10000-10002,10010 on pve1: qmrollback: can't lock file '/var/lock/qemu-server/lock-VMID.conf' - got timeout",
    "s10020@pve, lab net: pc (10020 on pve2): qmrollback: can't lock file '/var/lock/qemu-server/lock-10020.conf' - got timeout",
    's10003@pve, lab net: pc (10003 on pve1): qmstart: no space left',
  ]);
});
