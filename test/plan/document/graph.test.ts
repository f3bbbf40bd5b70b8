import { expect, test } from 'vitest';
import { assertSound } from '../../../src/lib/plan/document/graph.ts';
import type { Step } from '../../../src/lib/plan/document/step.ts';

/** `A -> B` reads: B waits for A. */
function steps(scenario: string): Step[] {
  const edges = scenario.split(', ').map((edge) => edge.split(' -> '));
  const ids = [...new Set(edges.flat())];
  return ids.map((id) => ({
    id,
    kind: 'vm.start',
    node: 'pve1',
    vmid: 100,
    pool: 'anna',
    reason: '',
    after: [],
    dependsOn: edges.filter(([, to]) => to === id).map(([from]) => from!),
  }));
}

test.each([
  { scenario: 'A -> B, B -> C', error: undefined },
  { scenario: 'A -> B, A -> C, B -> D, C -> D', error: undefined },
  { scenario: 'A -> B, B -> C, C -> A', error: 'steps wait for each other: A -> C -> B -> A' },
  { scenario: 'A -> A', error: 'steps wait for each other: A -> A' },
])('$scenario', ({ scenario, error }) => {
  if (error === undefined) expect(() => assertSound(steps(scenario))).not.toThrow();
  else expect(() => assertSound(steps(scenario))).toThrow(error);
});

test('unknown edges and repeated ids are named', () => {
  const [a, b] = steps('A -> B');
  expect(() => assertSound([b!])).toThrow('step B waits for unknown step A');
  expect(() => assertSound([a!, a!])).toThrow('step A is planned twice');
});
