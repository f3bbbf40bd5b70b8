/** Finds how a machine gets onto a node: from its template there, over shared storage, or through a replica. */
import type { Machine } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { cloneObstacle, linkedObstacle, storageObstacle } from './clone-rules.ts';
import type { HaveIndex } from '../cluster/view.ts';
import { compareNatural } from '../../order.ts';
import { profileOf } from '../cluster/profile.ts';
import { replicaNeed, replicaStorages, type ReplicaNeed } from './replica-needs.ts';
import { isFresh } from '../cluster/replicas.ts';
import { describeTemplate, sayRef, type FoundTemplates, type Template } from '../cluster/templates.ts';

/** A machine with the templates it may be cloned from. */
export interface ResolvedMachine extends FoundTemplates {
  readonly machine: Machine;
}

/** Which template, or which replica of it, is cloned. */
export type CloneWay =
  | { readonly by: 'template'; readonly origin: Template; readonly from: Template }
  | { readonly by: 'replica'; readonly origin: Template; readonly from: Template }
  | { readonly by: 'new-replica'; readonly origin: Template; readonly need: ReplicaNeed };

/** A replica's VMID becomes a member before it exists, which only the full profile may do. */
export const COPIES_TAKE_FULL =
  'which takes VM.Allocate on /vms: somebody who has it runs `deploy-stand templates replicate` first';

function offline(template: Pick<Template, 'vmid' | 'node'>, have: Inventory): string | undefined {
  const source = have.nodes.find((candidate) => candidate.name === template.node);
  return source?.online === true
    ? undefined
    : `node ${template.node}, which has template ${template.vmid}, is offline`;
}

function obstacleFrom(
  machine: Machine,
  from: Template,
  node: string,
  have: Inventory,
  index: HaveIndex,
): string | undefined {
  return offline(from, have) ?? cloneObstacle(machine, from, node, index.storages);
}

/** Finished copies of the template as it is now, those on `node` first. */
function freshReplicas(origin: Template, node: string, index: HaveIndex): Template[] {
  return index.replicas
    .filter((replica) => replica.claim.source === origin.vmid && isFresh(replica, origin))
    .flatMap(({ state, template }) => (state === 'ready' && template ? [template] : []))
    .sort(
      (a, b) =>
        Number(b.node === node) - Number(a.node === node) ||
        compareNatural(a.node, b.node) ||
        a.vmid - b.vmid,
    );
}

/** What a clone of the copy would meet where the copy is going to be. */
function obstacleOfNeed(machine: Machine, need: ReplicaNeed, index: HaveIndex): string | undefined {
  const volumes = replicaStorages(need, 'disks').map((storage) => ({
    key: '',
    storage,
    name: '',
    kind: 'disk' as const,
    bytes: 0,
  }));
  return linkedObstacle(machine, { vmid: need.source.vmid, node: need.home, volumes }, index.storages);
}

function throughReplica(
  machine: Machine,
  origin: Template,
  node: string,
  have: Inventory,
  index: HaveIndex,
): CloneWay | string {
  const ready = freshReplicas(origin, node, index).find(
    (from) => obstacleFrom(machine, from, node, have, index) === undefined,
  );
  if (ready) return { by: 'replica', origin, from: ready };
  const need = replicaNeed(machine, origin, node, index.storages);
  if (typeof need === 'string') return need;
  if (profileOf(have.rights) === 'confined')
    return `a copy of template ${origin.vmid} has to be made on ${need.home}, ${COPIES_TAKE_FULL}`;
  const obstacle =
    offline(origin, have) ??
    obstacleOfNeed(machine, need, index) ??
    storageObstacle(machine, { node }, node, index.storages);
  return obstacle ?? { by: 'new-replica', origin, need };
}

/**
 * The template on the node itself, else one on storage that both nodes have, else a copy of the only one there is; or
 * why there is no way. Of several templates none is copied: nothing tells which one is meant.
 */
export function findCloneWay(
  { machine, candidates }: ResolvedMachine,
  node: string,
  have: Inventory,
  index: HaveIndex,
): CloneWay | string {
  const ordered = [...candidates].sort((a, b) => Number(b.node === node) - Number(a.node === node));
  const obstacles: string[] = [];
  for (const from of ordered) {
    const obstacle = obstacleFrom(machine, from, node, have, index);
    if (obstacle === undefined) return { by: 'template', origin: from, from };
    obstacles.push(obstacle);
  }
  const [origin, other] = candidates;
  if (!origin) return 'there is no template';
  if (other === undefined && origin.node === node) return obstacles[0] ?? '';
  if (other === undefined) return throughReplica(machine, origin, node, have, index);
  const list = candidates.map(describeTemplate).join(', ');
  return `${sayRef(machine.template)} (${list}): none can be cloned onto ${node}: ${obstacles.join('; ')}`;
}
