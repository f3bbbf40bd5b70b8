/** What a saved plan relies on: recorded when it is made, checked before it is applied. */
import type { Inventory } from '../inventory/types.ts';
import { indexHave } from './have-index.ts';
import { sortedUnique } from '../order.ts';
import { REPLICA_POOL } from '../marks/replica.ts';
import type { StandContext, StandDraft } from './stand.ts';
import type { Plan, Precondition } from './document/plan.ts';
import type { Step } from './document/step.ts';

function ofStep(step: Step, context: StandContext): Precondition[] {
  switch (step.kind) {
    case 'pool.create':
      return [{ kind: 'pool', pool: step.pool, comment: null }];
    case 'pool.update': {
      const pool = context.index.pools.get(step.pool);
      return pool ? [{ kind: 'pool', pool: step.pool, comment: pool.comment }] : [];
    }
    case 'bridge.create':
      return [{ kind: 'bridge-free', node: step.node, bridge: step.bridge }];
    case 'bridge.update':
      return [{ kind: 'bridge', node: step.node, bridge: step.bridge, comment: step.comment }];
    case 'user.create':
      return [{ kind: 'user-absent', userid: step.userid }];
    case 'vm.mark':
      return [{ kind: 'vm', vmid: step.vmid, node: step.node, description: step.description }];
    case 'template.configure':
    case 'vm.configure': {
      const config = context.index.configs.get(step.vmid);
      const isMade = config !== undefined && config.values['lock'] !== 'clone';
      return isMade
        ? [
            {
              kind: 'vm',
              vmid: step.vmid,
              node: config.node,
              description: config.values['description'] ?? '',
            },
          ]
        : [];
    }
    default:
      return [];
  }
}

/** Templates and replicas that are there and cloned. A replica that the plan makes itself is none yet. */
function templatePreconditions(steps: readonly Step[], { have, index }: StandContext): Precondition[] {
  const used = new Set(
    steps.flatMap((step) =>
      step.kind === 'vm.clone' || step.kind === 'template.clone' ? [step.templateVmid] : [],
    ),
  );
  const replicas = index.replicas.flatMap(({ state, config }) =>
    state === 'ready' && config ? [config] : [],
  );
  return [...have.templates, ...replicas]
    .filter(({ vmid }) => used.has(vmid))
    .sort((a, b) => a.vmid - b.vmid)
    .map(({ vmid, node, digest }) => ({ kind: 'template', vmid, node, digest }));
}

export function collectPreconditions(
  drafts: readonly StandDraft[],
  steps: readonly Step[],
  context: StandContext,
): Precondition[] {
  const nodes = sortedUnique(
    steps.flatMap((step) =>
      step.kind === 'vm.clone'
        ? [step.node, step.target]
        : step.kind === 'template.migrate'
          ? [step.node, step.home]
          : 'node' in step
            ? [step.node]
            : [],
    ),
  );
  const all = [
    ...nodes.map((node): Precondition => ({ kind: 'node-online', node })),
    ...templatePreconditions(steps, context),
    ...steps.flatMap((step) => ofStep(step, context)),
    ...[...context.replicas.fresh(), ...drafts.flatMap((draft) => draft.freshVmids)].map(
      (vmid): Precondition => ({ kind: 'vmid-free', vmid }),
    ),
  ];
  // A VM that is taken over is marked and configured.
  return [...new Map(all.map((condition) => [JSON.stringify(condition), condition])).values()];
}

/** The preconditions that no longer hold, in words; empty: the plan may be applied. */
export function brokenPreconditions(plan: Plan, have: Inventory): string[] {
  const index = indexHave(have);
  const claims = new Map<number, string>();
  for (const [pool, mark] of index.marks) {
    for (const claim of mark.claims) for (const vmid of claim.vmids) claims.set(vmid, pool);
  }
  for (const { vmid } of index.replicaPool.claims) claims.set(vmid, REPLICA_POOL);
  return plan.preconditions.flatMap((condition) => broken(condition, have, { index, claims }) ?? []);
}

interface Indexes {
  readonly index: ReturnType<typeof indexHave>;
  readonly claims: ReadonlyMap<number, string>;
}

function broken(condition: Precondition, have: Inventory, { index, claims }: Indexes): string | undefined {
  switch (condition.kind) {
    case 'node-online': {
      const node = have.nodes.find((candidate) => candidate.name === condition.node);
      return node?.online === true ? undefined : `node ${condition.node} is offline`;
    }
    case 'vmid-free': {
      const guest = index.guests.get(condition.vmid);
      if (guest) return `VMID ${condition.vmid} is taken by a guest on ${guest.node}`;
      const pool = claims.get(condition.vmid);
      return pool === undefined ? undefined : `VMID ${condition.vmid} is claimed by pool ${pool}`;
    }
    case 'bridge-free':
      return index.bridges.get(condition.node)?.has(condition.bridge) === true
        ? `bridge ${condition.bridge} exists on ${condition.node}`
        : undefined;
    case 'bridge':
      return index.bridges.get(condition.node)?.get(condition.bridge)?.comments === condition.comment
        ? undefined
        : `bridge ${condition.bridge} on ${condition.node} is gone, or its comment changed`;
    case 'template': {
      const template =
        have.templates.find((config) => config.vmid === condition.vmid) ?? index.configs.get(condition.vmid);
      if (!template) return `template ${condition.vmid} cannot be read any more`;
      if (template.node !== condition.node) return `template ${condition.vmid} moved to ${template.node}`;
      return template.digest === condition.digest ? undefined : `template ${condition.vmid} was changed`;
    }
    case 'pool': {
      const comment = index.pools.get(condition.pool)?.comment ?? null;
      if (comment === condition.comment) return undefined;
      if (condition.comment === null) return `pool ${condition.pool} exists`;
      return comment === null
        ? `pool ${condition.pool} is gone`
        : `the claims of pool ${condition.pool} changed`;
    }
    case 'user-absent':
      return index.users.has(condition.userid) ? `user ${condition.userid} exists` : undefined;
    case 'vm': {
      const config = index.configs.get(condition.vmid);
      if (config?.node !== condition.node) return `VM ${condition.vmid} is no longer on ${condition.node}`;
      return (config.values['description'] ?? '') === condition.description
        ? undefined
        : `the mark of VM ${condition.vmid} changed`;
    }
  }
}
