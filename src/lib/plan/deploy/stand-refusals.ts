/** Why a stand cannot be made: wherever it is put, and on one node. */
import type { Refusal } from '../document/plan.ts';
import { foreignPendingOn } from '../network/foreign-pending.ts';
import { missingReserved } from '../network/shared-steps.ts';
import type { StandBridges } from '../network/stand-bridges.ts';
import { NO_ROOM } from '../placement/capacity-text.ts';
import { realmRefusal } from '../stands/accounts.ts';
import { poolNameRefusal } from '../stands/pool-name.ts';
import type { StandState } from '../stands/state.ts';
import type { StandContext } from './context.ts';
import { rolesBefore } from './stand-access.ts';

/** Another lab on the same pool with another role would widen or narrow both: refused, naming them. */
function roleConflict(state: StandState, context: StandContext): Refusal | undefined {
  const others = state.mark?.claims.filter((claim) => claim.lab !== context.lab.name) ?? [];
  // What a freeze took comes back with the thaw.
  const taken = (state.mark?.taken ?? []).filter(({ vmid }) => vmid === undefined);
  const entries = [
    ...(context.index.acls.get(`/pool/${state.user.pool} ${state.user.userid}`) ?? []),
    ...taken,
  ];
  const kept = rolesBefore(state, context);
  const different = entries.find(
    (entry) => entry.role !== context.lab.access.role && !kept.includes(entry.role),
  );
  if (others.length === 0 || !different) return undefined;
  return {
    code: 'ROLE_CONFLICT',
    message: `lab ${others.map((claim) => claim.lab).join(', ')} gives ${state.user.userid} role ${different.role} on pool ${state.user.pool}, lab ${context.lab.name} wants ${context.lab.access.role}`,
    hint: 'use the same `access.role` in both labs, or another `pool:` for one of them',
  };
}

/** What had no room is not part of a saved plan, even if there is room by now. */
function leftOutBefore({ user }: StandState, { pins }: StandContext): Refusal | undefined {
  if (!pins.leftOut.has(user.userid)) return undefined;
  return {
    code: NO_ROOM,
    message: `the saved plan leaves out the stand of ${user.userid}: there was no room when it was made`,
    hint: 'deploy without --plan, or make a new plan',
  };
}

/** Why nothing can be done for this stand, wherever it is put. */
export function standRefusal(state: StandState, context: StandContext): Refusal | undefined {
  return (
    // First: where there can be no such pool, who may write it is beside the point.
    poolNameRefusal(state.user, context.have, context.index) ??
    state.refused ??
    realmRefusal(state.user, context.have, context.index) ??
    roleConflict(state, context) ??
    leftOutBefore(state, context)
  );
}

/** An apply would put foreign edits into force, so nothing that needs one is planned on this node. */
export function standPendingRefusal(
  state: StandState,
  node: string,
  bridges: StandBridges,
  context: StandContext,
): Refusal | undefined {
  const { lab, have } = context;
  if (bridges.steps.length + bridges.down.length + missingReserved(lab, node, context).length === 0)
    return undefined;
  const message = foreignPendingOn(node, have.networks);
  if (message === undefined) return undefined;
  return {
    code: 'FOREIGN_PENDING_CHANGES',
    message,
    hint: `apply or revert them on ${node} (${node} → System → Network), then run again`,
  };
}
