import { describe, expect, test } from 'vitest';
import { formatBridgeMark, parseBridgeMark } from '../../src/lib/marks/bridge.ts';
import { isUserMarked } from '../../src/lib/marks/user.ts';
import { formatVmMark, isToldFinished, parseVmMark } from '../../src/lib/marks/vm.ts';

describe('VM, bridge and user marks', () => {
  test('a VM line is found between other lines and names its own id', () => {
    const line = formatVmMark({ lab: 'net', user: 'anna@pve', machine: 'eco', vmid: 10201, spec: 'ab.cd' });
    expect(line).toBe('deploy-stand lab=net user=anna@pve machine=eco vmid=10201 spec=ab.cd');
    expect(parseVmMark(`my notes\n${line}\n`)).toEqual({
      lab: 'net',
      user: 'anna@pve',
      machine: 'eco',
      vmid: 10201,
      spec: 'ab.cd',
    });
  });

  test.each(['', 'deploy-stand', 'deploy-stand lab=x', 'deploy-stand lab=x user=u machine=m vmid=1e3'])(
    'no mark: %j',
    (text) => {
      expect(parseVmMark(text)).toBeUndefined();
    },
  );

  test('bridges: a stand’s, a reserved one, a foreign one', () => {
    const mark = { kind: 'stand', lab: 'net', user: 'anna@pve', net: 'hq' } as const;
    const text = formatBridgeMark('vmbr1000', mark, '2026-01-01T00:00:00Z');
    expect(text).toBe('deploy-stand bridge=vmbr1000 lab=net user=anna@pve net=hq since=2026-01-01T00:00:00Z');
    expect(parseBridgeMark('vmbr1000', text)).toEqual(mark);
    // Copied by somebody to another bridge.
    expect(parseBridgeMark('vmbr7', text)).toBeUndefined();
    const reserved = formatBridgeMark('vmbr5', { kind: 'reserved' }, 'x');
    expect(parseBridgeMark('vmbr5', reserved)).toEqual({ kind: 'reserved' });
    expect(parseBridgeMark('vmbr5', 'uplink of deploy-stand')).toBeUndefined();
    // As 0.1.0 wrote them.
    expect(parseBridgeMark('vmbr1000', 'deploy-stand lab=net user=anna@pve net=hq since=x')).toEqual(mark);
    expect(parseBridgeMark('vmbr5', 'deploy-stand reserved since=x')).toEqual({ kind: 'reserved' });
  });

  test('a user is ours by the beginning of its comment only', () => {
    expect(isUserMarked('deploy-stand since=2026-01-01T00:00:00Z')).toBe(true);
    expect(isUserMarked('the deploy-stand since=ever account')).toBe(false);
  });
});

const MARK = { lab: 'net', user: 'anna@pve', machine: 'pc', vmid: 100 };

test.each([
  ['configured', formatVmMark({ ...MARK, spec: '0123456789ab' }), true],
  ['cloned only', formatVmMark(MARK), false],
  ['the notes of another VM', formatVmMark({ ...MARK, vmid: 101, spec: '0123456789ab' }), undefined],
  ['no mark', 'hands off', undefined],
  ['not read', undefined, undefined],
])('by its notes its clone is finished: %s', (_, description, told) => {
  expect(isToldFinished(100, description === undefined ? undefined : { description })).toBe(told);
});
