import { expect, test } from 'vitest';
import { oursAt } from '../../../src/lib/plan/document/steps/place.ts';

test.each([
  ['a VM', {}, {}],
  ['a VM, as it is listed', { type: 'qemu' }, {}],
  ['a container', { type: 'lxc' }, { type: 'lxc' }],
] as const)('the place of %s', (_, told, said) => {
  expect(oursAt({ node: 'pve1', vmid: 100, ...told }, 'anna')).toStrictEqual({
    ...{ node: 'pve1', vmid: 100, pool: 'anna' },
    ...said,
  });
});
