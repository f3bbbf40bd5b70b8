import { expect, test } from 'vitest';
import type { AclEntry } from '../../../src/lib/inventory/types.ts';
import { ledByCard } from '../../../src/lib/plan/network/led-to.ts';
import { BY_OTHERS } from '../../../src/lib/plan/network/may-go.ts';

const ALL = { first: 1000, last: 4094 };
const CLASS = { first: 1000, last: 1099 };
const entry = (path: string, role = 'PVESDNUser', subject = 'class'): AclEntry => ({
  ...{ path, role, subject, type: 'group', propagate: true },
});
const rolePrivileges = { PVESDNUser: ['SDN.Audit', 'SDN.Use'], PVESDNAuditor: ['SDN.Audit'] };

const zone = '/sdn/zones/localnetwork';
test.each<[version: string, acls: AclEntry[], range: typeof ALL | undefined, isProof: boolean]>([
  ['7.4', [], ALL, false],
  ['7.4', [], undefined, false],
  ['7.4', [], CLASS, true],
  ['7.4', [], { first: 1100, last: 1199 }, false],
  ['8.4', [], ALL, true],
  ['9.2', [], undefined, true],
  ['8.4', [entry(zone)], ALL, false],
  ['8.4', [entry(`${zone}/vmbr1050`)], ALL, false],
  ['9.2', [entry('/sdn')], CLASS, true],
  ['9.2', [entry('/sdn', 'PVESDNAuditor')], ALL, true],
  // What a role holds that cannot be read is not known.
  ['9.2', [entry(zone, 'Custom')], ALL, false],
  ['9.2', [entry(zone, 'PVESDNUser', 'deployer@pve')], ALL, true],
  ['9.2', [entry('/pool/anna', 'PVESDNUser')], ALL, true],
])('on %s, with %j, of %j a card proves it: %s', (version, acls, range, isProof) => {
  const have = { version, acls, rolePrivileges, caller: 'deployer@pve' };
  expect(ledByCard('vmbr1050', range, have)).toBe(isProof ? true : BY_OTHERS);
});
