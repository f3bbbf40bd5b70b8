/** What a saved plan may do about replicas: make those of the lab's own templates, under claims that hold. Plans nothing. */
import type { Lab } from '../config/types.ts';
import type { Inventory } from '../inventory/types.ts';
import type { HaveIndex } from './have-index.ts';
import { withNewSeal } from '../marks/seal.ts';
import { TAG } from '../marks/vm.ts';
import {
  formatReplicaMark,
  formatReplicaPool,
  isReplicaPool,
  parseReplicaPool,
  REPLICA_POOL,
  type ReplicaClaim,
} from '../marks/replica.ts';
import { toTemplate, type Template } from './templates.ts';
import type { Plan } from './document/plan.ts';
import type { Step, StepOf } from './document/step.ts';

export interface SavedReplicas {
  readonly lab: Lab;
  readonly index: HaveIndex;
  readonly nodes: ReadonlySet<string>;
  /** The lab's templates, by VMID. */
  readonly sources: ReadonlyMap<number, Template>;
  /** By VMID: before the plan, and with what it claims. */
  readonly claimed: ReadonlyMap<number, ReplicaClaim>;
  readonly claims: ReadonlyMap<number, ReplicaClaim>;
  /** VMID → the step after which the plan's own copy can be cloned. */
  readonly made: ReadonlyMap<number, string>;
}

function byVmid(claims: readonly ReplicaClaim[]): Map<number, ReplicaClaim> {
  return new Map(claims.map((claim) => [claim.vmid, claim]));
}

export function readSavedReplicas(plan: Plan, lab: Lab, have: Inventory, index: HaveIndex): SavedReplicas {
  const claimed = byVmid(index.replicaPool.claims);
  const wanted = plan.steps.flatMap((step) =>
    step.kind === 'pool.update' && step.pool === REPLICA_POOL ? parseReplicaPool(step.comment).claims : [],
  );
  return {
    lab,
    index,
    nodes: new Set(have.nodes.map(({ name }) => name)),
    sources: new Map(
      have.templates
        .filter(({ vmid, values }) => values['template'] === '1' && !claimed.has(vmid))
        .map((config) => [config.vmid, toTemplate(config)]),
    ),
    claimed,
    claims: new Map([...claimed, ...byVmid(wanted)]),
    made: new Map(
      plan.steps.flatMap((step) => (step.kind === 'template.join' ? [[step.vmid, step.id] as const] : [])),
    ),
  };
}

/** A claim stays as it is, or is reserved anew: only a join makes one. */
function isSame(a: ReplicaClaim, b: ReplicaClaim | undefined): boolean {
  if (a.vmid !== b?.vmid || a.source !== b.source || a.node !== b.node) return false;
  const isKept = a.state === b.state && a.seals.join() === b.seals.join();
  return isKept || (b.state === 'reserved' && b.seals.join() === withNewSeal(a.seals).join());
}

function ofPool(step: StepOf<'pool.create'>): string | undefined {
  return step.comment === formatReplicaPool({ claims: [], others: [] })
    ? undefined
    : `pool ${step.pool} would not begin empty`;
}

function ofNewClaim(
  { vmid, source, node, state, seals }: ReplicaClaim,
  saved: SavedReplicas,
): string | undefined {
  if (state !== 'reserved' || seals.join() !== '')
    return `VM ${vmid} would count as a replica before it is made`;
  const { sources, nodes, index } = saved;
  if (!sources.has(source)) return `VM ${source} is not a template of the lab`;
  if (!nodes.has(node)) return `there is no node ${node}`;
  const pool = index.claimants.get(vmid)?.[0];
  if (pool !== undefined) return `VM ${vmid} is claimed by pool ${pool}`;
  return index.guests.has(vmid) ? `VM ${vmid} exists and is no replica` : undefined;
}

function ofClaims(step: StepOf<'pool.update'>, saved: SavedReplicas): string | undefined {
  const { index, claimed } = saved;
  const pool = index.pools.get(REPLICA_POOL);
  if (pool && !isReplicaPool(pool.comment)) return `pool ${REPLICA_POOL} does not carry our mark`;
  const { claims, others } = parseReplicaPool(step.comment);
  const wanted = byVmid(claims);
  const isKept = [...claimed.values()].every((claim) => isSame(claim, wanted.get(claim.vmid)));
  const hasOthers = JSON.stringify(others) === JSON.stringify(index.replicaPool.others);
  if (!isKept || !hasOthers || wanted.size !== claims.length || step.takeOver)
    return `pool ${REPLICA_POOL} would lose or change claims`;
  for (const claim of claims) {
    const problem = claimed.has(claim.vmid) ? undefined : ofNewClaim(claim, saved);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

type ReplicaStep = StepOf<
  'template.clone' | 'template.configure' | 'template.migrate' | 'template.convert' | 'template.join'
>;

/** The copy's mark is that of the template as it is now: one that an earlier run made of another is not gone on with. */
function ofCopy(step: ReplicaStep, { claims, sources }: SavedReplicas): Template | string {
  const { vmid, home, description } = step;
  const claim = claims.get(vmid);
  if (claim?.node !== home) return `VM ${vmid} is not claimed as a replica for ${home}`;
  const source = sources.get(claim.source);
  if (!source) return `VM ${claim.source} is not a template of the lab`;
  return description === formatReplicaMark({ source: source.vmid, digest: source.digest, vmid })
    ? source
    : `VM ${vmid} would not carry the mark of a replica of ${source.vmid}`;
}

function ofClone(step: StepOf<'template.clone'>, source: Template): string | undefined {
  const { node, target, home, templateVmid, name } = step;
  const isPlain = node === source.node && target === node && templateVmid === source.vmid;
  return isPlain && name === `replica-${source.vmid}-${home}`
    ? undefined
    : `it is not a copy of template ${source.vmid}, made where that is`;
}

const PLAIN: Readonly<Record<string, string>> = { onboot: '0', protection: '0', tags: TAG };

function ofConfigure({ vmid, options }: StepOf<'template.configure'>, source: Template): string | undefined {
  const images = new Set(source.volumes.flatMap(({ kind, key }) => (kind === 'iso' ? [key] : [])));
  const wrong = Object.entries(options).find(
    ([key, value]) => value !== (images.has(key) ? 'none,media=cdrom' : PLAIN[key]),
  );
  return wrong && `VM ${vmid}: a replica does not get ${wrong[0]} ${wrong[1]}`;
}

/** For steps that belong to no stand. Undefined: it may be done; null: it is not about replicas. */
export function checkReplicaStep(step: Step, saved: SavedReplicas): string | null | undefined {
  if (step.kind === 'pool.create' && step.pool === REPLICA_POOL) return ofPool(step);
  if (step.kind === 'pool.update' && step.pool === REPLICA_POOL) return ofClaims(step, saved);
  switch (step.kind) {
    case 'template.clone':
    case 'template.configure':
    case 'template.migrate':
    case 'template.convert':
    case 'template.join':
      break;
    default:
      return null;
  }
  const source = ofCopy(step, saved);
  if (typeof source === 'string') return source;
  if (step.kind === 'template.clone') return ofClone(step, source);
  if (step.kind === 'template.configure') return ofConfigure(step, source);
  return undefined;
}

/** Is this a copy of one of the lab's templates, there already or made before the step that clones it? */
export function isCloneable(
  { templateVmid, dependsOn }: StepOf<'vm.clone'>,
  { claims, sources, made, index }: SavedReplicas,
): boolean {
  const claim = claims.get(templateVmid);
  if (!claim || !sources.has(claim.source)) return false;
  const isReady = index.replicas.some(
    (replica) => replica.claim.vmid === templateVmid && replica.state === 'ready',
  );
  return isReady || dependsOn.includes(made.get(templateVmid) ?? '');
}
