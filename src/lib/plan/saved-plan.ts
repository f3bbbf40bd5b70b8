/**
 * What a saved plan may do: make and complete the stands of the class that is given with it, and nothing else. A plan
 * file can be edited, so every step is held against the files and the cluster as if a stranger had written it.
 */
import type { Lab, User } from '../config/types.ts';
import type { Inventory } from '../inventory/types.ts';
import { bridgeKey, indexHave, type HaveIndex } from './have-index.ts';
import { isUserMarked } from '../marks/user.ts';
import { parseBridgeMark } from '../marks/bridge.ts';
import { parsePoolComment, type PoolMark } from '../marks/pool.ts';
import { parseVmMark } from '../marks/vm.ts';
import { presentNics } from '../pve-values/nics.ts';
import { checkReplicaStep, isCloneable, readSavedReplicas, type SavedReplicas } from './saved-replicas.ts';
import { keepsFormer, ofMark, ofNewBridge, readTakeover, type Takeover } from './saved-takeover.ts';
import type { Plan } from './document/plan.ts';
import type { Step, StepKind, StepOf } from './document/step.ts';

interface Class {
  readonly lab: Lab;
  readonly users: readonly User[];
  /** As the command says now; what the plan's own command said does not count. */
  readonly adopt: boolean;
}

interface Stand {
  readonly lab: Lab;
  readonly user: User;
  readonly takeover: Takeover;
  readonly replicas: SavedReplicas;
  readonly index: HaveIndex;
  readonly adopt: boolean;
  /** The pool's comment as it is. */
  readonly comment: string | undefined;
  /** Of the pool; absent: there is none yet. */
  readonly present: PoolMark | undefined;
  /** Claimed for this lab before the plan. */
  readonly claimed: ReadonlySet<number>;
  /** The same with what the plan claims. */
  readonly vmids: ReadonlySet<number>;
  /** Bridges that its machines may be plugged into. */
  readonly bridges: ReadonlySet<string>;
}

/** Undefined: the step is the stand's own business. */
type Check<K extends StepKind> = (step: StepOf<K>, stand: Stand) => string | undefined;

const OPTIONS =
  /^(onboot|protection|cores|memory|ciuser|nameserver|searchdomain|ciupgrade|sshkeys|ipconfig\d+)$/;

function unless(isFine: boolean, problem: string): string | undefined {
  return isFine ? undefined : problem;
}

function ofVm({ vmid }: { readonly vmid: number }, { vmids, user }: Stand): string | undefined {
  return unless(vmids.has(vmid), `VM ${vmid} is not claimed by pool ${user.pool}`);
}

function claimedIn({ claims }: PoolMark, lab: Lab): readonly number[] {
  return claims.filter((claim) => claim.lab === lab.name).flatMap(({ vmids }) => vmids);
}

function otherClaims({ claims, others }: PoolMark, lab: Lab): string {
  return JSON.stringify([claims.filter((claim) => claim.lab !== lab.name), others]);
}

const EMPTY: PoolMark = { adopted: false, claims: [], others: [] };

function ofClaim(step: StepOf<'pool.update'>, stand: Stand): string | undefined {
  const { lab, user, present, index, claimed, takeover } = stand;
  if (step.pool !== user.pool) return `pool ${step.pool} is not that of ${user.userid}`;
  if (present && present.user === undefined && (!stand.adopt || step.takeOver?.comment !== stand.comment))
    return `pool ${step.pool} does not carry our mark`;
  if (present?.user !== undefined && present.user !== user.userid)
    return `pool ${step.pool} belongs to ${present.user}`;
  const wanted = parsePoolComment(step.comment);
  if (
    wanted.user !== user.userid ||
    otherClaims(wanted, lab) !== otherClaims(present ?? EMPTY, lab) ||
    !keepsFormer(wanted, present, takeover)
  )
    return `pool ${step.pool} would get the marks or claims of others`;
  const foreign = [...(step.takeOver?.vmids ?? []), ...claimedIn(wanted, lab)].find(
    (vmid) => index.guests.has(vmid) && !claimed.has(vmid) && !takeover.vms.has(vmid),
  );
  return foreign === undefined ? undefined : `VM ${foreign} exists and is not claimed by pool ${step.pool}`;
}

function ofGrant({ path, role, userid }: StepOf<'acl.grant'>, stand: Stand): string | undefined {
  const { lab, user, vmids } = stand;
  const machine = /^\/vms\/(\d+)$/.exec(path)?.[1];
  const isOfPool = path === `/pool/${user.pool}` && role === lab.access.role;
  const isOfVm = vmids.has(Number(machine)) && lab.machines.some(({ poolRole }) => poolRole === role);
  return unless(
    userid === user.userid && (isOfPool || isOfVm),
    `${role} on ${path} for ${userid} is not what the lab gives`,
  );
}

function ofClone(step: StepOf<'vm.clone'>, stand: Stand): string | undefined {
  const { vmid, templateVmid, description } = step;
  if (parseVmMark(description)?.user !== stand.user.userid)
    return `VM ${vmid} would get the mark of another user`;
  const isTemplate = stand.replicas.sources.has(templateVmid) || isCloneable(step, stand.replicas);
  return isTemplate ? ofVm(step, stand) : `VM ${templateVmid} is not a template of the lab`;
}

function ofConfigure(step: StepOf<'vm.configure'>, stand: Stand): string | undefined {
  const { lab, user, index, bridges } = stand;
  const mark = parseVmMark(step.description);
  if (mark?.lab !== lab.name || mark.user !== user.userid || mark.vmid !== step.vmid)
    return `VM ${step.vmid} would get the mark of another machine`;
  const option = [...Object.keys(step.options), ...step.remove].find((key) => !OPTIONS.test(key));
  if (option !== undefined) return `VM ${step.vmid}: a lab cannot set ${option}`;
  const now = new Set(presentNics(index.configs.get(step.vmid)?.values ?? {}).map(({ bridge }) => bridge));
  const foreign = step.nics.find(({ bridge }) => !bridges.has(bridge) && !now.has(bridge))?.bridge;
  if (foreign !== undefined) return `VM ${step.vmid}: bridge ${foreign} is not one of the stand`;
  return ofVm(step, stand);
}

function ofBridge(step: StepOf<'bridge.update'>, stand: Stand): string | undefined {
  const { node, bridge, comment } = step;
  if (step.newComment !== undefined) return ofNewBridge(step, stand.takeover);
  const present = parseBridgeMark(bridge, stand.index.bridges.get(node)?.get(bridge)?.comments ?? '');
  return unless(
    isBridgeOf({ bridge, comment }, stand) && present?.kind === 'stand' && present.user === stand.user.userid,
    `bridge ${bridge} on ${node} is not one of ${stand.user.userid}`,
  );
}

function isBridgeOf(
  { bridge, comment }: { readonly bridge: string; readonly comment: string },
  { lab, user }: Pick<Stand, 'lab' | 'user'>,
): boolean {
  const mark = parseBridgeMark(bridge, comment);
  return mark?.kind === 'stand' && mark.lab === lab.name && mark.user === user.userid;
}

const CHECKS: { readonly [K in StepKind]?: Check<K> } = {
  'user.create': ({ userid, comment, groups }, { user }) =>
    unless(
      userid === user.userid && isUserMarked(comment) && groups.every((group) => user.groups.includes(group)),
      `user ${userid} is not made as the users file says`,
    ),
  'pool.create': ({ pool, comment }, { user }) =>
    unless(
      pool === user.pool && parsePoolComment(comment).user === user.userid,
      `pool ${pool} is not that of ${user.userid}`,
    ),
  'pool.update': ofClaim,
  'acl.grant': ofGrant,
  'acl.revoke': ({ path, userid }, { user, present }) =>
    unless(
      userid === user.userid && path === `/pool/${user.pool}` && present?.user === userid,
      `the rights of ${userid} on ${path} are not ours to take`,
    ),
  'bridge.create': ({ node, bridge, comment }, stand) =>
    unless(
      isBridgeOf({ bridge, comment }, stand),
      `bridge ${bridge} on ${node} would not carry the stand's mark`,
    ),
  'bridge.update': ofBridge,
  'vm.clone': ofClone,
  'vm.configure': ofConfigure,
  'vm.mark': (step, { takeover }) => ofMark(step, takeover),
  'vm.snapshot': ofVm,
  'vm.start': ofVm,
};

/** No switch and no cast: the map's type ties each kind to its check. */
function checkOf<K extends StepKind>(step: StepOf<K>): Check<K> | undefined {
  return CHECKS[step.kind];
}

function checkShared(step: Step, lab: Lab, replicas: SavedReplicas): string | undefined {
  const ofReplica = checkReplicaStep(step, replicas);
  if (ofReplica !== null) return ofReplica;
  if (step.kind === 'network.reload')
    return unless((step.gone ?? []).length === 0, 'a deploy removes no bridge');
  const isReserved =
    step.kind === 'bridge.create' &&
    parseBridgeMark(step.bridge, step.comment)?.kind === 'reserved' &&
    lab.machines.some(({ networks }) =>
      networks.some(
        ({ target }) => target.kind === 'real' && target.reserved && target.bridge === step.bridge,
      ),
    );
  return unless(isReserved, 'the step belongs to no stand');
}

type Shared = Pick<Stand, 'lab' | 'adopt' | 'index' | 'replicas'> & { readonly have: Inventory };

function standOf(user: User, own: readonly Step[], shared: Shared): Stand {
  const { lab, index } = shared;
  const pool = index.pools.get(user.pool);
  const present = pool && parsePoolComment(pool.comment);
  const claimed = new Set(present?.user === user.userid ? claimedIn(present, lab) : []);
  // A confined caller claims by the comment alone.
  const added = own.flatMap((step) =>
    step.kind === 'pool.update' ? claimedIn(parsePoolComment(step.comment), lab) : [],
  );
  const named = lab.machines.flatMap(({ networks }) =>
    networks.flatMap(({ target }) =>
      target.kind === 'real'
        ? [target.bridge]
        : (index.standBridges.get(bridgeKey(lab.name, user.userid, target.alias)) ?? []).map(
            ({ info }) => info.iface,
          ),
    ),
  );
  const made = own.flatMap((step) =>
    step.kind === 'bridge.create' || (step.kind === 'bridge.update' && step.newComment !== undefined)
      ? [step.bridge]
      : [],
  );
  return {
    ...shared,
    ...{ user, present, claimed, comment: pool?.comment },
    takeover: readTakeover({ ...shared, user }),
    vmids: new Set([...claimed, ...added]),
    bridges: new Set(['vmbr0', ...named, ...made]),
  };
}

/** The steps that reach beyond the class, in words; empty: the plan may be applied. */
export function foreignSteps(plan: Plan, want: Class, have: Inventory): string[] {
  const { lab, adopt } = want;
  const index = indexHave(have);
  const replicas = readSavedReplicas(plan, lab, have, index);
  const steps = new Map<string | undefined, Step[]>();
  for (const step of plan.steps) {
    const list = steps.get(step.user);
    if (list) list.push(step);
    else steps.set(step.user, [step]);
  }
  const stands = new Map<string, Stand>();
  const users = new Map(want.users.map((user) => [user.userid, user]));
  const problemOf = (step: Step): string | undefined => {
    if (step.user === undefined) return checkShared(step, lab, replicas);
    const user = users.get(step.user);
    if (!user) return `${step.user} is not in the users file`;
    const stand =
      stands.get(user.userid) ??
      standOf(user, steps.get(user.userid) ?? [], { lab, adopt, have, index, replicas });
    stands.set(user.userid, stand);
    const check = checkOf(step);
    return check ? check(step, stand) : 'a deploy has no such step';
  };
  return plan.steps.flatMap((step) => {
    const problem = problemOf(step);
    return problem === undefined ? [] : [`${step.id}: ${problem}`];
  });
}
