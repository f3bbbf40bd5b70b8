import { expect, test } from 'vitest';
import type { GuestInfo } from '../../../src/lib/inventory/types.ts';
import { machineStatus } from '../../../src/lib/plan/views/status-machine.ts';
import type { StandMachine } from '../../../src/lib/plan/stands/selected.ts';
import type { StatusDetails } from '../../../src/lib/plan/views/status-types.ts';
import { machinePower } from '../../../src/lib/pve-values/machine-power.ts';

test.each([
  [{ status: 'stopped' }, 'stopped', 'stopped'],
  [{ status: 'stopped', lock: 'suspended' }, 'suspended', 'suspended'],
  [{ status: 'running' }, 'running', 'running'],
  [{ status: 'running', lock: 'backup' }, 'running', 'running'],
  [{ status: 'running', monitor: 'paused' }, 'paused', 'paused'],
  // Its guest sleeps: CPUs stand as those of a paused one.
  [{ status: 'running', monitor: 'suspended' }, 'paused', 'paused'],
  [{ status: 'running', monitor: 'io-error' }, 'running', 'io-error'],
  [{ status: 'running', monitor: 'internal-error' }, 'running', 'internal-error'],
  // Until its memory is written it runs; the lock is told beside it.
  [{ status: 'running', lock: 'suspending', monitor: 'paused' }, 'suspending', 'running'],
  [{ status: 'unknown' }, 'unknown', 'unknown'],
])('%j is %s; status says %s', (told, power, state) => {
  expect(machinePower(told)).toBe(power);
  const guest: GuestInfo = {
    ...{ vmid: 100, node: 'pve1', type: 'qemu', template: false, ha: false, memory: 1, cpus: 1 },
    ...told,
  };
  const machine: StandMachine = {
    vmid: 100,
    machine: 'pc',
    verdict: 'ours',
    guest,
    isSelected: true,
    state: 'made',
  };
  const details: StatusDetails = {};
  expect(machineStatus(machine, true, details).state).toBe(state);
});
