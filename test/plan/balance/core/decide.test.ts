/** Core on a platform that is not PVE: whatever an adapter says in its own codes and words comes through as it is. */
import { expect, test } from 'vitest';
import { parseBalance } from '../../../../src/lib/config/balance/balance.ts';
import type { Constraints, Obstacle } from '../../../../src/lib/plan/balance/core/constraints.ts';
import { decide, type Decision } from '../../../../src/lib/plan/balance/core/decide.ts';
import type { Guest, Node } from '../../../../src/lib/plan/balance/core/types.ts';
import { indexSeen, type World } from '../../../../src/lib/plan/balance/core/world.ts';
import type { RejectionCode } from '../../../../src/lib/plan/document/balance-report.ts';

const GIB = 2 ** 30;

interface Host extends Node {
  readonly creationBlocked?: boolean;
}

interface Machine extends Guest {
  readonly isoMounted?: boolean;
}

const host = (name: string, used: number, over: Partial<Host> = {}): Host => ({
  ...{ name, online: true, maintenance: false, cpus: 32, cpu: 0.1 },
  ...{ memoryTotal: 64 * GIB, memoryUsed: used * GIB },
  ...over,
});

const machine = (vmid: number, node: string, gib: number, over: Partial<Machine> = {}): Machine => ({
  ...{ vmid, node, name: `web${vmid}`, status: 'running', cpu: 0.1, cpus: 2, tags: [] },
  ...{ memory: gib * GIB, memoryUsed: gib * GIB },
  ...over,
});

interface Scene {
  readonly hosts: readonly Host[];
  readonly machines: readonly Machine[];
  readonly over?: Partial<World>;
  readonly lasting?: readonly RejectionCode[];
}

function decideOn({ hosts, machines, over, lasting = [] }: Scene): Decision {
  const seen = {
    ...{ now: '2026-03-02T12:00:00Z', nodes: hosts, guests: machines },
    ...{ migrations: [], tasks: new Map<number, string>(), historyFrom: {}, vetoes: [], evacuate: [] },
  };
  const indexed = indexSeen(seen, parseBalance('mode: threshold', 'balance.yml').config);
  const none = { stands: new Map(), bound: new Set<number>(), wired: new Set<number>() };
  const world: World = {
    ...{ ...indexed, ...none, ties: new Map(), localVolumes: new Map(), queued: new Set() },
    labels: new Map(machines.map(({ vmid, name }) => [vmid, `server ${name ?? ''}`])),
    ...over,
  };
  const mounted = new Set(machines.flatMap(({ vmid, isoMounted }) => (isoMounted === true ? [vmid] : [])));
  const blocked = new Set(hosts.flatMap((one) => (one.creationBlocked === true ? [one.name] : [])));
  const obstacle = (is: boolean, code: Obstacle['code'], text: string): Obstacle | undefined =>
    is ? { code, text } : undefined;
  const constraints: Constraints = {
    ofUnit: ({ vmids }) =>
      obstacle(
        vmids.some((vmid) => mounted.has(vmid)),
        'iso',
        'has a disc in its drive',
      ),
    ofNode: ({ target }) => obstacle(blocked.has(target.name), 'closed', 'takes no new machines'),
    ofMove: () => undefined,
    lasting: new Set(lasting),
  };
  return decide(world, constraints);
}

const CROWDED = [host('alpha', 62), host('beta', 8), host('gamma', 8, { creationBlocked: true })];

test('an overloaded node is relieved onto one that the adapter lets it go to', () => {
  const { moves, report } = decideOn({
    hosts: CROWDED,
    machines: [machine(1, 'alpha', 30), machine(2, 'alpha', 30)],
  });
  expect(moves.map(({ unit, to }) => [unit.vmids, to])).toEqual([[[1], 'beta']]);
  expect(report.moves[0]).toMatchObject({ name: 'server web1', why: 'overload', from: ['alpha'] });
});

test('obstacles keep the code and the words of their platform', () => {
  const machines = [machine(1, 'alpha', 30, { isoMounted: true }), machine(2, 'alpha', 30)];
  const { moves, report } = decideOn({ hosts: [CROWDED[0]!, CROWDED[2]!], machines });
  expect(moves).toEqual([]);
  expect(report.rejected).toMatchObject([
    { vmids: [1], code: 'iso', reason: 'has a disc in its drive' },
    {
      ...{ vmids: [2], code: 'no-target' },
      targets: [{ code: 'closed', reason: 'takes no new machines', nodes: ['gamma'] }],
    },
  ]);
});

test('what the adapter ties moves together', () => {
  const ties = new Map([1, 2].map((vmid) => [vmid, ['a cable']]));
  const machines = [machine(1, 'alpha', 12), machine(2, 'alpha', 12), machine(3, 'alpha', 36)];
  const { moves } = decideOn({ hosts: CROWDED, machines, over: { ties } });
  expect(moves.map(({ unit, to }) => [unit.name, to])).toEqual([['guests 1, 2', 'beta']]);
});

test('a bound stand whose obstacle lasts is stuck, by the codes of its platform', () => {
  const stand = { lab: 'net', user: 'anna' };
  const over = { stands: new Map([[1, stand]]), bound: new Set([1]), wired: new Set([1]) };
  const scene = { hosts: CROWDED, machines: [machine(1, 'alpha', 60, { isoMounted: true })], over };
  expect(decideOn(scene).report.stuck).toEqual([]);
  expect(decideOn({ ...scene, lasting: ['iso'] }).report.stuck).toEqual([
    { ...stand, nodes: ['alpha'], vmids: [1], reason: 'has a disc in its drive' },
  ]);
});

test('wired machines of a stand that are on two nodes are put together', () => {
  const stand = { lab: 'net', user: 'anna' };
  const machines = [machine(1, 'alpha', 4), machine(2, 'beta', 2)];
  const stands = new Map(machines.map(({ vmid }) => [vmid, stand]));
  const ids = new Set([1, 2]);
  const hosts = [host('alpha', 8), host('beta', 8)];
  const { moves } = decideOn({ hosts, machines, over: { stands, bound: ids, wired: ids } });
  expect(moves.map(({ unit, to, why }) => [unit.vmids, to, why])).toEqual([[[2], 'alpha', 'half-moved']]);
  expect(decideOn({ hosts, machines, over: { stands, bound: ids } }).moves).toEqual([]);
});
