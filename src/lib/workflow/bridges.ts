/** The stories of `bridges`: list; or read, plan, and under the planning lock read, plan again and apply. */
import type { RunOutcome } from '../outcome/types.ts';
import type { ReadContext } from '../inventory/pools.ts';
import { readInventory, type InventoryScope } from '../inventory/read.ts';
import type { Inventory, NodeNetwork } from '../inventory/types.ts';
import { viewBridges, type BridgeReport } from '../plan/network/view.ts';
import { planBridgesCreate } from '../plan/network/create.ts';
import { planBridgesPrune } from '../plan/network/prune.ts';
import { assertNodesExist } from '../plan/network/node-draft.ts';
import { nodesToAsk } from '../plan/network/whose-guests.ts';
import { bridgesScope } from '../privileges/scopes.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { PlanContext, RunContext } from './context.ts';
import { planToApply, preview, runStory, type Preview, type Request } from './planned-run.ts';
import { runSteps } from './run.ts';

export type BridgesWant =
  | {
      readonly do: 'create';
      readonly names: readonly string[];
      readonly vlanAware: boolean;
      /** Absent: all nodes. */
      readonly nodes?: readonly string[];
    }
  | { readonly do: 'prune'; readonly minAgeSeconds: number; readonly nodes?: readonly string[] };

function readHave(context: ReadContext, scope: Partial<InventoryScope>): Promise<Inventory> {
  return readInventory(context, { templates: [], claimed: () => [], rights: true, ...scope });
}

function among(names: readonly string[], nodes: readonly string[] | undefined): string[] {
  return names.filter((name) => nodes?.includes(name) ?? true);
}

async function planRequest(want: BridgesWant, context: PlanContext): Promise<Request> {
  const { nodes } = want;
  const common = {
    scope: (locks: boolean) => bridgesScope(want.do === 'prune', locks),
    takesLock: (plan: Plan) => plan.steps.length > 0,
  };
  if (want.do === 'create') {
    const { names, vlanAware } = want;
    const have = await readHave(context, {});
    return { ...common, have, make: () => planBridgesCreate({ have, names, vlanAware, nodes }) };
  }
  const { minAgeSeconds } = want;
  const have = await readHave(context, {
    tasks: true,
    bridgeUse: (networks) => among(nodesToAsk(networks, 'remove'), nodes),
  });
  return { ...common, have, make: () => planBridgesPrune({ have, nodes, minAgeSeconds }) };
}

/** Every bridge with its users; one call per guest. */
export async function listBridges(
  nodes: readonly string[] | undefined,
  context: ReadContext,
): Promise<BridgeReport> {
  const all = (networks: readonly NodeNetwork[]): string[] => networks.map(({ node }) => node);
  const have = await readHave(context, { bridgeUse: (networks) => among(all(networks), nodes) });
  assertNodesExist(have, nodes);
  return viewBridges(have, nodes);
}

/** Reads and plans; changes nothing. `lacking`: what the caller may not do of it. */
export async function previewBridges(want: BridgesWant, context: PlanContext): Promise<Preview> {
  return preview(await planRequest(want, context), context);
}

/** A deploy stages its bridges under the planning lock, too: neither applies what the other has half staged. */
export function changeBridges(want: BridgesWant, context: RunContext): Promise<RunOutcome> {
  return runStory(
    {
      look: async () => planToApply(await planRequest(want, context), context),
      takesLock: ({ plan }) => plan.steps.length > 0,
      apply: ({ steps }) => runSteps(steps, context),
    },
    context,
  );
}
