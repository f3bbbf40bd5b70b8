/**
 * Plans a thaw: exactly the rights that the freeze took come back, and then the claim says so. Wherever the run is cut, the
 * claim still knows them, and the same command finishes it.
 */
import { formatPoolComment, frozenSince, type Claim } from '../../marks/pool.ts';
import type { TakenRight } from '../../marks/taken.ts';
import { assertSound } from '../document/graph.ts';
import type { AccessPlan, PlannedStand, Refusal } from '../document/plan.ts';
import { makeStep, type Step } from '../document/step.ts';
import { gapTexts, labOf } from '../document/text.ts';
import { isWritable } from '../stands/ownership.ts';
import { protectedBecause } from '../stands/protected-accounts.ts';
import {
  absentStands,
  chosenClaims,
  plannedVms,
  poolStands,
  type DayTwoContext,
  type PoolStands,
} from './pools.ts';

export interface ThawInput extends DayTwoContext {
  readonly options: { readonly allLabs: boolean };
}

interface Draft {
  readonly stand: PlannedStand;
  readonly steps: readonly Step[];
}

function refusalOf(view: PoolStands, { have, index, options }: ThawInput): Refusal | undefined {
  const { user, pool, mark, others } = view;
  const because = protectedBecause(user, have.caller);
  if (because !== undefined) {
    return {
      code: 'PROTECTED_ACCOUNT',
      message: `${user} ${because}: its access stays as it is`,
      hint: 'leave it out of the selection',
    };
  }
  const frozen = others.filter(({ claim }) => claim.frozen !== undefined).map(({ claim }) => claim.lab);
  if (frozen.length > 0 && !options.allLabs) {
    return {
      code: 'SHARED_POOL',
      message: `lab ${frozen.join(', ')} in pool ${pool} of ${user} is frozen, too, and access is given to the pool as a whole`,
      hint: 'thaw them together with --all-labs',
    };
  }
  if (have.users.length > 0 && !index.users.has(user)) {
    return {
      code: 'USER_GONE',
      message: `user ${user} is gone, and so are its rights`,
      hint: 'deploy with the files of the class makes the user again; then thaw',
    };
  }
  const roles = (mark.taken ?? []).map(({ role }) => role);
  const gone = have.roles.length === 0 ? [] : roles.filter((role) => !have.roles.includes(role));
  if (gone.length === 0) return undefined;
  return {
    code: 'NO_ROLE',
    message: `the cluster has no role "${gone.join('", "')}" any more, which ${user} had on pool ${pool}`,
    hint: 'make the role again, then thaw',
  };
}

function pathOf(pool: string, { vmid }: TakenRight): string {
  return vmid === undefined ? `/pool/${pool}` : `/vms/${vmid}`;
}

/** Of what was taken: a right on a machine that is no more would wait for whatever is made there next. */
function givable(view: PoolStands): { readonly rights: TakenRight[]; readonly notes: string[] } {
  const machines = [...view.chosen, ...view.others].flatMap((stand) => stand.machines);
  const there = new Set(
    machines
      .filter(({ guest, verdict }) => guest !== undefined && isWritable(verdict))
      .map(({ vmid }) => vmid),
  );
  const taken = view.mark.taken ?? [];
  const isThere = ({ vmid }: TakenRight): boolean => vmid === undefined || there.has(vmid);
  return {
    rights: taken.filter(isThere),
    notes: taken
      .filter((right) => !isThere(right))
      .map(({ vmid, role }) => `role ${role} on VM ${vmid ?? ''} does not come back: the machine is gone`),
  };
}

function withoutFrozen(claim: Claim): Claim {
  const { frozen, ...rest } = claim;
  return frozen === undefined ? claim : rest;
}

function thawPool(view: PoolStands, input: ThawInput): Draft {
  const { user, pool, mark, chosen, others } = view;
  const [node] = chosen.flatMap((stand) => stand.node ?? []);
  const stand = { user, pool, ...(node === undefined ? {} : { node }), vms: plannedVms(chosen), bridges: [] };
  const open = input.options.allLabs ? [...chosen, ...others] : chosen;
  if (open.every(({ claim }) => claim.frozen === undefined)) {
    const notes = frozenSince(mark) === undefined ? [] : ['another lab in the pool is frozen, not this one'];
    return { stand: { ...stand, notes }, steps: [] };
  }
  const refused = refusalOf(view, input);
  if (refused) return { stand: { ...stand, refused, notes: [] }, steps: [] };
  const { rights, notes } = givable(view);
  const isHeld = (right: TakenRight): boolean =>
    (input.index.acls.get(`${pathOf(pool, right)} ${user}`) ?? []).some(
      ({ role, propagate }) => role === right.role && propagate === right.propagate,
    );
  const grants = rights
    .filter((right) => !isHeld(right))
    .map((right) => {
      const path = pathOf(pool, right);
      const { role, propagate } = right;
      return makeStep(
        'acl.grant',
        `${path} ${role}`,
        { user, reason: 'what was there before the freeze' },
        { path, role, userid: user, propagate, thaws: true, ...(right.vmid === undefined ? {} : { pool }) },
      );
    });
  const labs = new Set(open.map(({ claim }) => claim.lab));
  const comment = formatPoolComment({
    ...mark,
    user,
    claims: mark.claims.map((claim) => (labs.has(claim.lab) ? withoutFrozen(claim) : claim)),
  });
  const update = makeStep(
    'pool.update',
    pool,
    { user, reason: 'last, so that no role is lost', dependsOn: grants.map(({ id }) => id) },
    { pool, comment },
  );
  const none = 'had no access when it was frozen: deploy gives it once the stand is finished';
  return {
    stand: { ...stand, notes: [...(mark.taken?.length ? [] : [none]), ...notes] },
    steps: [...grants, update],
  };
}

export function planThaw(input: ThawInput): AccessPlan {
  const pools = poolStands(input);
  const drafts = pools.map((view) => thawPool(view, input));
  const steps = drafts.flatMap((draft) => draft.steps);
  assertSound(steps);
  return {
    version: 2,
    command: 'access',
    action: 'thaw',
    lab: labOf(chosenClaims(pools)),
    steps,
    stands: [...drafts.map(({ stand }) => stand), ...absentStands(input)],
    warnings: gapTexts(input.have),
  };
}
