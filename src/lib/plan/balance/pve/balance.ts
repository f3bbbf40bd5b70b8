/** Plans `balance` on PVE: what core decides, with its bridges, as steps. Pure; asks for what it has to know. */
import type { BalanceConfig } from '../../../config/balance/types.ts';
import { assertSound } from '../../document/graph.ts';
import { sortedUnique } from '../../../order.ts';
import type { BalancePlan } from '../../document/plan.ts';
import type { BalanceInventory, Veto, BalanceNeeds } from '../../../inventory/balance-types.ts';
import { decide, type Decision } from '../core/decide.ts';
import { lessonNotes } from '../core/lessons.ts';
import { contradictionNotes, lostHistory, unknownNodes } from '../core/verdict.ts';
import { constraintsOn } from './constraints.ts';
import { ledNotes } from './ha-led.ts';
import { planStandNetwork, type StandNetwork } from './stand-network.ts';
import { plannedStands, planSteps } from './steps.ts';
import { bridgesOfGuest, createWorld, isLocalNetwork, type World } from './world.ts';

export interface BalanceInput {
  readonly have: BalanceInventory;
  /** What the command line says is in it already. */
  readonly config: BalanceConfig;
  /** Nodes to be emptied, instead of balancing. */
  readonly evacuate?: readonly string[];
  readonly vetoes?: readonly Veto[];
}

/**
 * While `needs` names something the plan is provisional: read it, add it to the inventory, plan again. A plan whose
 * moves a precondition call of PVE refuses is made again with `vetoes`.
 */
export interface BalanceDecision {
  readonly plan: BalancePlan;
  readonly needs: BalanceNeeds;
}

function needsOf({ moves, interesting }: Decision, network: StandNetwork, world: World): BalanceNeeds {
  const chosen = moves.flatMap(({ unit }) => unit.guests);
  const missing = chosen.filter(({ vmid }) => !world.facts.has(vmid)).map(({ vmid }) => vmid);
  const sources = new Set(moves.flatMap(({ from }) => from));
  const next = [...interesting].filter(
    (vmid) => !world.facts.has(vmid) && sources.has(world.guests.get(vmid)?.node ?? ''),
  );
  // A local network ties a guest to others, on both sides; and a bridge goes only when nobody else names it.
  const tied = moves.flatMap(({ unit, to }) =>
    unit.guests.flatMap((guest) =>
      (bridgesOfGuest(guest, world) ?? []).some((iface) => isLocalNetwork(guest.node, iface, world))
        ? [guest.node, ...(unit.stands.length === 0 ? [to] : [])]
        : [],
    ),
  );
  const configs = missing.length === 0 ? [] : [...new Set([...missing, ...next])].sort((a, b) => a - b);
  const bridgeUse = [...network.needs, ...tied].filter((node) => !world.bridgeUseNodes.has(node));
  return { configs, bridgeUse: sortedUnique(bridgeUse) };
}

function warningsOf(world: World): string[] {
  const { have } = world;
  const hasHa = [...world.guests.values()].some(({ ha }) => ha);
  return [
    ...unknownNodes(world, Object.keys(world.config.zfsArc)),
    ...(have.haAutoRebalance && hasHa
      ? ['HA balances its guests by itself (ha-auto-rebalance is on): they are left to it, and count as load']
      : []),
    ...contradictionNotes(world),
    ...lostHistory(world),
    ...lessonNotes(world),
    ...ledNotes(world.led),
  ];
}

export function planBalance({ have, config, evacuate = [], vetoes = [] }: BalanceInput): BalanceDecision {
  const world = createWorld({ have, config, evacuate, vetoes });
  const decision = decide(world, constraintsOn(world));
  const { moves, report } = decision;
  const network = planStandNetwork(moves, world);
  const steps = planSteps(moves, network, world);
  assertSound(steps);
  const plan: BalancePlan = {
    version: 2,
    command: 'balance',
    lab: '',
    steps,
    stands: plannedStands(moves, network, world),
    balance: { ...report, ...(have.gaps.length === 0 ? {} : { gaps: have.gaps }) },
    warnings: [...warningsOf(world), ...network.warnings],
  };
  return { plan, needs: needsOf(decision, network, world) };
}
