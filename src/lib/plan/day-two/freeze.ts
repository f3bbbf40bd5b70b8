/**
 * Plans a freeze: the student's rights go, and come back with a thaw. What goes is written into the claim before the first
 * right is taken: wherever the run is cut, the same command finishes it, and no role is lost.
 */
import type { AclEntry } from '../../inventory/types.ts';
import { formatPoolComment, frozenSince, hadBefore } from '../../marks/pool.ts';
import { mergeTaken, type TakenRight } from '../../marks/taken.ts';
import { markTime } from '../../marks/time.ts';
import { vmidIn } from '../../pve-values/acl-path.ts';
import { takeAwayCommand } from '../../pve-values/admin-commands.ts';
import { assertSound } from '../document/graph.ts';
import type { AccessPlan, PlannedStand, Refusal } from '../document/plan.ts';
import { bothRefusals } from '../document/refuse.ts';
import { makeStep, type Step } from '../document/step.ts';
import { gapTexts, labOf } from '../document/text.ts';
import { isWritable } from '../stands/ownership.ts';
import { protectedBecause } from '../stands/protected-accounts.ts';
import { actionable, type StandView } from '../stands/selected.ts';
import {
  absentStands,
  chosenClaims,
  plannedVms,
  poolStands,
  type DayTwoContext,
  type PoolStands,
} from './pools.ts';
import { keptState, otherStorage, suspended, type KeepInput, type KeepOptions } from './kept-state.ts';
import { findRoom, type Room } from './power-room.ts';
import { heldByStudents, stillOpen } from '../stands/still-open.ts';

export interface FreezeOptions extends KeepOptions {
  /** Also the other labs in the same pools: a pool has one access for all. */
  readonly allLabs: boolean;
}

export interface FreezeInput extends DayTwoContext, KeepInput {
  readonly options: FreezeOptions;
}

interface Draft {
  readonly stand: PlannedStand;
  readonly claims: readonly Step[];
  readonly revokes: readonly Step[];
  readonly work: readonly Step[];
}

function refusalOf({ user, pool, mark, others }: PoolStands, input: FreezeInput): Refusal | undefined {
  const because = protectedBecause(user, input.have.caller);
  if (because !== undefined) {
    return {
      code: 'PROTECTED_ACCOUNT',
      message: `${user} ${because}: its access is not taken away`,
      hint: 'leave it out of the selection',
    };
  }
  if (others.length === 0 || input.options.allLabs || frozenSince(mark) !== undefined) return undefined;
  const labs = others.map(({ claim }) => claim.lab).join(', ');
  return {
    code: 'SHARED_POOL',
    message: `pool ${pool} of ${user} also holds lab ${labs}, and access is given to the pool as a whole`,
    hint: 'freeze them together with --all-labs',
  };
}

/** What of the user's rights on the pool and on these machines goes. */
function rightsOf(view: PoolStands, frozen: readonly StandView[], { index }: FreezeInput): AclEntry[] {
  const { user, pool, mark } = view;
  const onPool = (index.acls.get(`/pool/${pool} ${user}`) ?? []).filter(({ role }) => !hadBefore(mark, role));
  const onVms = frozen
    .flatMap(({ machines }) => machines)
    .filter(({ verdict, guest }) => guest !== undefined && isWritable(verdict))
    .flatMap(({ vmid }) => index.vmRights.get(`/vms/${vmid}`) ?? [])
    .filter(({ type, subject }) => type === 'user' && subject === user);
  return [...onPool, ...onVms];
}

function toTaken({ path, role, propagate }: AclEntry): TakenRight {
  const vmid = vmidIn(path);
  return { ...(vmid === undefined ? {} : { vmid }), role, propagate };
}

function claimSteps(
  { pool, user, mark }: PoolStands,
  frozen: readonly StandView[],
  rights: readonly AclEntry[],
  { have }: FreezeInput,
): Step[] {
  const labs = new Set(frozen.map(({ claim }) => claim.lab));
  const before = frozenSince(mark) === undefined ? [] : (mark.taken ?? []);
  const taken = mergeTaken(before, rights.map(toTaken));
  const isDone =
    frozen.every(({ claim }) => claim.frozen !== undefined) &&
    JSON.stringify(taken) === JSON.stringify(mergeTaken(before, []));
  if (isDone) return [];
  const claims = mark.claims.map((claim) =>
    labs.has(claim.lab) ? { ...claim, frozen: claim.frozen ?? markTime(have.now) } : claim,
  );
  const comment = formatPoolComment({ ...mark, user, taken, claims });
  return [
    makeStep('pool.update', pool, { user, reason: 'first, so that no role is lost' }, { pool, comment }),
  ];
}

/** Whoever has VM.Allocate on a machine may share the rights on it (PVE/API2/ACL.pm). What a student got: still-open.ts. */
function sharedNotes(
  { user }: PoolStands,
  frozen: readonly StandView[],
  { index, have }: FreezeInput,
): string[] {
  const isOfStudents = heldByStudents({ have, index });
  const entries = frozen
    .flatMap(actionable)
    .flatMap(({ vmid }) => index.vmRights.get(`/vms/${vmid}`) ?? [])
    .filter((entry) => entry.type !== 'token' && entry.subject !== user && !isOfStudents(entry))
    .filter(({ subject }) => protectedBecause(subject, have.caller) === undefined);
  return entries.map(
    (entry) =>
      `${entry.type === 'group' ? 'group ' : ''}${entry.subject} keeps role ${entry.role} on ${entry.path} (\`${takeAwayCommand(entry, entry.subject)}\` takes it away)`,
  );
}

function frozenOf({ chosen, others }: PoolStands, { options }: FreezeInput): StandView[] {
  return options.allLabs ? [...chosen, ...others] : [...chosen];
}

function freezePool(view: PoolStands, room: Room, input: FreezeInput): Draft {
  const { user, pool, mark, others } = view;
  const refused = refusalOf(view, input);
  const frozen = frozenOf(view, input);
  const [node] = frozen.flatMap((stand) => stand.node ?? []);
  const stand = { user, pool, ...(node === undefined ? {} : { node }), vms: plannedVms(frozen), bridges: [] };
  if (refused) return { stand: { ...stand, refused, notes: [] }, claims: [], revokes: [], work: [] };
  const rights = rightsOf(view, frozen, input);
  const claims = claimSteps(view, frozen, rights, input);
  const dependsOn = claims.map(({ id }) => id);
  const revokes = rights.map(({ path, role }) =>
    makeStep(
      'acl.revoke',
      `${path} ${role}`,
      { user, reason: 'frozen', dependsOn },
      { path, role, userid: user, ...(path.startsWith('/vms/') ? { pool } : {}) },
    ),
  );
  const before = { dependsOn, after: revokes.map(({ id }) => id) };
  const noRoom = room.refused.get(pool);
  const lab = frozen.length === 1 ? frozen[0]?.claim.lab : undefined;
  const kept = keptState(
    frozen,
    { before, ...(noRoom ? { noRoom: { ...noRoom, hint: otherStorage({ lab, user }) } } : {}) },
    input,
  );
  const open = stillOpen(
    { user, pool, vmids: frozen.flatMap((one) => actionable(one).map(({ vmid }) => vmid)) },
    (entry) => rights.includes(entry),
    input,
  );
  const left = bothRefusals(open, kept.left);
  return {
    stand: {
      ...stand,
      frozen: frozenSince(mark) ?? markTime(input.have.now),
      ...(left ? { left } : {}),
      notes: [
        ...(others.length > 0 && !input.options.allLabs
          ? [
              `pool ${pool} holds lab ${others.map(({ claim }) => claim.lab).join(', ')}, too: no access to that either`,
            ]
          : []),
        ...sharedNotes(view, frozen, input),
      ],
    },
    claims,
    revokes,
    work: kept.steps,
  };
}

/** Claims first, then rights: all of them one lane. Snapshots and power are for after that. */
export function planFreeze(input: FreezeInput): AccessPlan {
  const pools = poolStands(input);
  const { have, index } = input;
  // Where there is no room for the memory of a stand, its access goes all the same.
  const asleep = pools.map((view) => ({
    ...{ user: view.user, key: view.pool },
    machines: suspended(frozenOf(view, input), input),
  }));
  const room = findRoom(
    asleep.filter(({ machines }) => machines.length > 0),
    { have, index },
  );
  const drafts = pools.map((view) => freezePool(view, room, input));
  const steps = [
    ...drafts.flatMap(({ claims }) => claims),
    ...drafts.flatMap(({ revokes }) => revokes),
    ...drafts.flatMap(({ work }) => work),
  ];
  assertSound(steps);
  return {
    version: 2,
    command: 'access',
    action: 'freeze',
    lab: labOf(chosenClaims(pools)),
    steps,
    stands: [...drafts.map(({ stand }) => stand), ...absentStands(input)],
    warnings: gapTexts(input.have),
  };
}
