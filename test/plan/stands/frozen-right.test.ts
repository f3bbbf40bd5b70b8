import { expect, test } from 'vitest';
import { parsePoolComment } from '../../../src/lib/marks/pool.ts';
import { underFreeze } from '../../../src/lib/plan/stands/frozen-right.ts';

const HEAD = 'deploy-stand user=anna@pve adopted roles=PVEAuditor';
const OPEN = 'lab=net vms=pc:10000 since=2026-09-01T08:00:00Z';
const SHUT = `${OPEN} frozen=2026-09-02T08:00:00Z`;
const TAKEN = 'taken=PVEVMUser,10000:PVEVMAdmin';
const ANNA = { userid: 'anna@pve', vmid: undefined };

test.each([
  ['no pool any more', undefined, { ...ANNA, role: 'PVEVMUser' }, 'given'],
  ['an open stand', `${HEAD}\n${OPEN}`, { ...ANNA, role: 'PVEVMUser' }, 'given'],
  ['a freeze that keeps it', `${HEAD} ${TAKEN}\n${SHUT}`, { ...ANNA, role: 'PVEVMUser' }, 'thaw'],
  ['one that does not know it', `${HEAD} ${TAKEN}\n${SHUT}`, { ...ANNA, role: 'PVEVMAdmin' }, 'lost'],
  ['on the machine: kept', `${HEAD} ${TAKEN}\n${SHUT}`, { ...ANNA, role: 'PVEVMAdmin', vmid: 10000 }, 'thaw'],
  ['on another machine', `${HEAD} ${TAKEN}\n${SHUT}`, { ...ANNA, role: 'PVEVMAdmin', vmid: 10001 }, 'lost'],
  ['before the pool was ours', `${HEAD} ${TAKEN}\n${SHUT}`, { ...ANNA, role: 'PVEAuditor' }, 'given'],
  [
    'the same on a machine',
    `${HEAD} ${TAKEN}\n${SHUT}`,
    { ...ANNA, role: 'PVEAuditor', vmid: 10000 },
    'lost',
  ],
  [
    'another lab of the pool',
    `${HEAD}\n${OPEN.replace('net', 'os')}\n${SHUT}`,
    { ...ANNA, role: 'PVEVMUser' },
    'lost',
  ],
  [
    'another one’s pool',
    `${HEAD}\n${SHUT}`,
    { userid: 'ben@pve', vmid: undefined, role: 'PVEVMUser' },
    'given',
  ],
] as const)('a right that is carried over: %s', (_, comment, right, fate) => {
  expect(underFreeze(right, comment === undefined ? undefined : parsePoolComment(comment))).toBe(fate);
});
