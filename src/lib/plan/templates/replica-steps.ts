/** Plans the steps that make replicas: each once, however many stands wait for it. */
import { isTemplate } from '../../pve-values/guest-flags.ts';
import { stepId, makeStep, type Step } from '../document/step.ts';
import type { VmidAllocator } from '../cluster/free-vmids.ts';
import { storageLocks } from '../cluster/storage-locks.ts';
import { sealRiskWarning } from '../cluster/seal-risk.ts';
import type { ClusterView } from '../cluster/view.ts';
import {
  formatReplicaMark,
  formatReplicaPool,
  REPLICA_POOL,
  type ReplicaClaim,
} from '../../marks/replica.ts';
import { NO_PINS, pinnedReplica, type Pins } from '../cluster/pins.ts';
import { replicaStorages, type ReplicaNeed } from './replica-needs.ts';
import { isFresh, type Replica } from '../cluster/replicas.ts';
import { withNewSeal } from '../../marks/seal.ts';
import { TAG } from '../../marks/vm.ts';
import type { Refusal } from '../document/plan.ts';

/** A replica that a plan makes. */
interface PlannedReplica {
  readonly source: number;
  readonly vmid: number;
  readonly node: string;
  /** The step after which it can be cloned. */
  readonly ready: string;
  /** Storages of its disks. */
  readonly storages: readonly string[];
}

export interface ReplicaPlanner {
  take(need: ReplicaNeed): PlannedReplica | Refusal;
  /** `pool.create`, `pool.update`. */
  claimSteps(): Step[];
  workSteps(): Step[];
  warnings(): string[];
}

interface Frame {
  readonly index: ClusterView;
  readonly vmids: VmidAllocator;
  readonly pins?: Pins;
  readonly since: string;
}

interface Draft {
  readonly need: ReplicaNeed;
  readonly claim: ReplicaClaim;
  readonly isNew: boolean;
  readonly planned: PlannedReplica;
  readonly steps: readonly Step[];
}

const CLAIM_STEP = stepId('pool.update', REPLICA_POOL);

/** One that was begun for the template as it is now, or only claimed. */
export function begun({ source, home }: ReplicaNeed, replicas: readonly Replica[]): Replica | undefined {
  const mine = replicas.filter(({ claim }) => claim.source === source.vmid && claim.node === home);
  return (
    mine.find((replica) => replica.state === 'unfinished' && isFresh(replica, source)) ??
    mine.find((replica) => replica.state === 'open')
  );
}

function reasonOf({ source, home }: ReplicaNeed, present: Replica | undefined, index: ClusterView): string {
  if (present) return 'begun by an earlier run';
  const isStale = index.replicas.some(
    ({ claim, state }) => claim.source === source.vmid && claim.node === home && state === 'ready',
  );
  if (isStale) return `template ${source.vmid} was changed`;
  return home === source.node
    ? 'without the image in its drive it can be cloned onto other nodes'
    : `stands on ${home} cannot be cloned from ${source.node}`;
}

/** Lock keys of the storages that the copy is written to while it is still on the source's node. */
function copyLocks({ source, storage }: ReplicaNeed, { storages }: ClusterView): string[] {
  const names = storage === undefined ? source.volumes.map((volume) => volume.storage) : [storage];
  return storageLocks(names, source.node, storages);
}

const BARE: Readonly<Record<string, string>> = { onboot: '0', protection: '0', tags: TAG };

/** What a copy must have of itself. Undefined: one of a former run has it. */
function optionsOf({ eject }: ReplicaNeed, present: Replica | undefined): Record<string, string> | undefined {
  const options = { ...BARE, ...Object.fromEntries(eject.map((drive) => [drive, 'none,media=cdrom'])) };
  const values = present?.config?.values ?? {};
  // Else a copy that has been moved since would be configured elsewhere than a saved plan says.
  const isConfigured =
    present?.state === 'unfinished' &&
    Object.entries(options).every(([option, value]) => values[option] === value);
  return isConfigured ? undefined : options;
}

/**
 * Copy, configure, move, convert, join. Converted late: what is a template already may be cloned by somebody before it has
 * moved, and PVE moves no base image that has linked clones (qemu-server QemuMigrate.pm).
 */
function stepsOf(need: ReplicaNeed, claim: ReplicaClaim, present: Replica | undefined, index: ClusterView) {
  const { source, home, storage, targetStorage } = need;
  const { vmid } = claim;
  const isThere = present?.state === 'unfinished';
  const key = `${source.vmid}@${home}`;
  const node = isThere ? present.node : source.node;
  const steps: Step[] = [];
  const frame = (reason: string) => ({
    reason,
    dependsOn: [steps.at(-1)?.id ?? CLAIM_STEP].filter((id) => id !== CLAIM_STEP || !isThere),
  });
  const description = formatReplicaMark({ source: source.vmid, digest: source.digest, vmid });
  const homeLocks = storageLocks(replicaStorages(need), home, index.storages);
  if (!isThere) {
    steps.push(
      makeStep('template.clone', key, frame(reasonOf(need, present, index)), {
        ...{ node, target: node, home, templateVmid: source.vmid, vmid },
        name: `replica-${source.vmid}-${home}`,
        description,
        full: true,
        ...(storage === undefined ? {} : { storage }),
        ...(claim.joinsAtOnce ? { joinsAtOnce: true } : {}),
        locks: copyLocks(need, index),
      }),
    );
  }
  if (!isThere || !isTemplate(present.config?.values)) {
    const reason = isThere
      ? reasonOf(need, present, index)
      : 'what a template hands down and a copy must not have';
    const options = optionsOf(need, present);
    if (options)
      steps.push(
        makeStep('template.configure', key, frame(reason), { node, home, vmid, description, options }),
      );
    if (node !== home) {
      steps.push(
        makeStep('template.migrate', key, frame(`onto ${home}`), {
          ...{ node, home, vmid, description },
          ...(targetStorage === undefined ? {} : { targetStorage }),
          locks: homeLocks.filter((lock) => !lock.startsWith('shared:')),
        }),
      );
    }
  }
  steps.push(
    makeStep('template.convert', key, frame('so that linked clones can be made of it'), {
      ...{ node: home, home, vmid, description },
      locks: homeLocks,
    }),
  );
  if (claim.state !== 'made') {
    steps.push(
      makeStep('template.join', key, frame('finished: from now on membership shows that it is ours'), {
        ...{ node: home, home, vmid, description },
      }),
    );
  }
  return steps;
}

export function createReplicaPlanner({ index, vmids, pins = NO_PINS, since }: Frame): ReplicaPlanner {
  const drafts = new Map<string, Draft | Refusal>();
  const made = (): Draft[] => [...drafts.values()].flatMap((draft) => ('code' in draft ? [] : [draft]));

  function plan(need: ReplicaNeed): Draft | Refusal {
    const { source, home } = need;
    const present = begun(need, index.replicas);
    const vmid = present?.claim.vmid ?? vmids.takeLast(pins.replicas.get(pinnedReplica(source.vmid, home)));
    if (vmid === undefined) {
      return {
        code: 'NO_VMID',
        message: `no VMID is left for a copy of template ${source.vmid} on ${home}`,
        hint: 'widen `vmid_range` in the lab file',
      };
    }
    const claim: ReplicaClaim =
      present?.state === 'unfinished'
        ? present.claim
        : // One that is begun again is as young as a new one to `templates prune`.
          {
            ...{ source: source.vmid, node: home, vmid, since },
            ...{ state: 'reserved', seals: withNewSeal(present?.claim.seals) },
            ...(index.sealRisk === undefined ? {} : { joinsAtOnce: true }),
          };
    const steps = stepsOf(need, claim, present, index);
    const ready = steps.at(-1)?.id ?? '';
    const storages = replicaStorages(need);
    return {
      need,
      claim,
      isNew: present === undefined,
      planned: { source: source.vmid, vmid, node: home, ready, storages },
      steps,
    };
  }

  return {
    take(need) {
      const key = `${need.source.vmid}@${need.home}`;
      const draft = drafts.get(key) ?? plan(need);
      drafts.set(key, draft);
      return 'code' in draft ? draft : draft.planned;
    },
    claimSteps() {
      const added = made().filter(({ isNew }) => isNew);
      const cloned = made().filter(({ steps }) => steps[0]?.kind === 'template.clone');
      if (cloned.length === 0) return [];
      const exists = index.pools.has(REPLICA_POOL);
      const comment = (claims: readonly ReplicaClaim[]) =>
        formatReplicaPool({ claims, others: index.replicaPool.others });
      const create = makeStep(
        'pool.create',
        REPLICA_POOL,
        { reason: 'missing' },
        { pool: REPLICA_POOL, comment: comment([]) },
      );
      const again = new Map(cloned.map(({ claim }) => [claim.vmid, claim]));
      const claims = [
        ...index.replicaPool.claims.map((claim) => again.get(claim.vmid) ?? claim),
        ...added.map(({ claim }) => claim),
      ];
      const update = makeStep(
        'pool.update',
        REPLICA_POOL,
        {
          reason: 'before the copies are made, so that no other run takes the numbers',
          dependsOn: exists ? [] : [create.id],
        },
        { pool: REPLICA_POOL, comment: comment(claims) },
      );
      return exists ? [update] : [create, update];
    },
    workSteps: () => made().flatMap(({ steps }) => steps),
    warnings: () => [
      ...made().flatMap(({ need }) => ejectedWarning(need) ?? []),
      ...made().flatMap(({ claim }) => staleWarnings(claim, index)),
      ...(index.sealRisk && made().some(({ claim }) => claim.joinsAtOnce)
        ? [sealRiskWarning(index.sealRisk)]
        : []),
    ],
  };
}

function ejectedWarning({ source, home, eject }: ReplicaNeed): string | undefined {
  if (eject.length === 0) return undefined;
  const images = source.volumes
    .filter(({ key }) => eject.includes(key))
    .map(({ key, storage, name }) => `${key} (${storage}:${name})`);
  return `the copy of template ${source.vmid} on ${home} has no image in ${images.join(', ')}: other nodes cannot use it`;
}

function staleWarnings({ source, node, vmid }: ReplicaClaim, { replicas }: ClusterView): string[] {
  return replicas
    .filter(
      ({ claim, state }) =>
        state === 'ready' && claim.source === source && claim.node === node && claim.vmid !== vmid,
    )
    .map(
      ({ claim }) =>
        `replica ${claim.vmid} on ${node} is of template ${source} as it was before; \`deploy-stand templates prune\` removes it once no VM needs it`,
    );
}
