/**
 * Guests that a class made itself in the pool of a stand that goes: named, and removed where that was asked for. Whose they
 * are is decided in stands/ownership.ts.
 */
import { asRoot, destroyCommand, guestCommand } from '../../pve-values/admin-commands.ts';
import { mayBeMachine } from '../../pve-values/guest-kinds.ts';
import type { GuestInfo } from '../../inventory/types.ts';
import type { CleanupContext } from './context.ts';
import { verdictFor } from './fates.ts';
import type { SelectedStand } from './selection.ts';
import type { Refusal } from '../document/plan.ts';
import { claimedIds, isOfPoolUser, type Verdict } from '../stands/ownership.ts';
import { obstacle, type Fate } from '../stands/removal.ts';
import { shellCommand } from '../../shell.ts';

function verdictsIn(stand: SelectedStand, context: CleanupContext): Map<number, Verdict> {
  const claims = stand.mark?.claims ?? [];
  return new Map(
    claims.flatMap((claim) =>
      claimedIds(claim).map((id) => [id.vmid, verdictFor(id, stand, context)] as const),
    ),
  );
}

function refusalOf(
  guest: GuestInfo,
  { pool, user }: SelectedStand,
  context: CleanupContext,
): Refusal | undefined {
  const { vmid, node, name, type } = guest;
  const what = `${type === 'lxc' ? 'container' : 'VM'} ${vmid} (${name ?? 'no name'}) on ${node}`;
  const isIn = `${what} is in pool ${pool} and of no lab`;
  const claimant = (context.index.claimants.get(vmid) ?? []).find((other) => other !== pool);
  if (claimant !== undefined) {
    return {
      code: 'MEMBER_CLAIMED',
      message: `${isIn}, but pool ${claimant} claims its VMID`,
      hint: `take VM ${vmid} out of pool ${pool}, or remove it by hand, then run cleanup again`,
    };
  }
  if (!mayBeMachine(guest)) {
    return {
      code: 'MEMBER_CONTAINER',
      message: `${isIn}; deploy-stand removes no containers`,
      hint: `${asRoot(guest, `${guestCommand(guest, 'stop')}; ${destroyCommand(guest)}`)}, then run cleanup again`,
    };
  }
  if (!context.options.includeMembers) {
    return {
      code: 'MEMBERS_LEFT',
      message: `${isIn}: it was made there by hand`,
      hint:
        context.selection.by === 'orphans'
          ? `\`${shellCommand('deploy-stand', 'cleanup', '--user', user, '--include-members')}\` removes such machines too`
          : 'add --include-members to remove such machines too',
    };
  }
  return obstacle(guest, context.index.configs.get(vmid), context.options);
}

/**
 * Of every guest in the pool of a stand that goes as a whole, those that go or stay with its claims aside. None of a pool that
 * was there before us: what its members are for, nobody can tell.
 */
export function memberFates(
  stand: SelectedStand,
  settled: ReadonlySet<number>,
  context: CleanupContext,
): Fate[] {
  const { mark, pool } = stand;
  if (mark?.user === undefined || mark.adopted) return [];
  const members = (context.index.members.get(pool) ?? []).filter(({ vmid }) => !settled.has(vmid));
  if (members.length === 0) return [];
  const verdicts = verdictsIn(stand, context);
  return members
    .filter((guest) => isOfPoolUser(pool, guest, verdicts.get(guest.vmid)))
    .map((guest) => {
      const stays = refusalOf(guest, stand, context);
      return { guest, config: context.index.configs.get(guest.vmid), ...(stays ? { stays } : {}) };
    });
}
