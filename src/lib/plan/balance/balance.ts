/** Plans `balance`: which guests move where, in which order, with which bridges. Pure; asks for what it has to know. */
import type { BalanceConfig } from '../../config/balance-types.ts';
import type { Plan } from '../types.ts';
import type { BalanceInventory, BalanceNeeds, BalanceReport, Veto } from './types.ts';

export interface BalanceInput {
  readonly have: BalanceInventory;
  /** What the command line says is in it already. */
  readonly config: BalanceConfig;
  /** Nodes to be emptied, instead of balancing. */
  readonly evacuate?: readonly string[];
  readonly vetoes?: readonly Veto[];
}

export type BalancePlan = Plan & { readonly command: 'balance'; readonly balance: BalanceReport };

/**
 * `planBalance(input)`. While `needs` names something the plan is provisional: read it, add it to the inventory, plan
 * again. A plan whose moves a precondition call of PVE refuses is made again with `vetoes`.
 */
export interface BalanceDecision {
  readonly plan: BalancePlan;
  readonly needs: BalanceNeeds;
}
