/** The strategies that there are: one row each, and a name without a row does not compile. */
import type { Strategy } from '../../../config/types.ts';
import { balanced } from './balanced.ts';
import { local } from './local.ts';
import { smart } from './smart.ts';
import { specific } from './specific.ts';
import type { PlacementStrategy } from './strategy.ts';

const STRATEGIES: { readonly [S in Strategy]: PlacementStrategy } = { local, specific, balanced, smart };

export function strategyOf({
  placement,
}: {
  readonly placement: { readonly strategy: Strategy };
}): PlacementStrategy {
  return STRATEGIES[placement.strategy];
}
