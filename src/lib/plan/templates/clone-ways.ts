/** Finds how a machine gets onto a node: from its template there, over shared storage, or through a replica. */
import type { Machine } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import {
  besideObstacle,
  cloneObstacle,
  linkedObstacle,
  targetObstacle,
  unreadableDisk,
} from './clone-rules.ts';
import { filesObstacle, ownDevice, rootDeviceObstacle, tieObstacle } from '../obstacles/node-obstacles.ts';
import type { NodeObstacle } from '../obstacles/obstacle.ts';
import type { ClusterView } from '../cluster/view.ts';
import { compareNatural } from '../../order.ts';
import { copiesRefused } from './copies-refused.ts';
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

/** What is there, and the view of it. */
export interface Cluster {
  readonly have: Inventory;
  readonly index: ClusterView;
}

export function isWay(way: CloneWay | NodeObstacle): way is CloneWay {
  return 'by' in way;
}

function offline({ vmid, node }: Template, { hosts }: ClusterView): NodeObstacle | undefined {
  return hosts.nodes.get(node)?.online === true ? undefined : { code: 'source-offline', vmid, node };
}

/** What a clone of it would miss on the node, at its start at the latest. */
function missedObstacle(
  machine: Machine,
  from: Template,
  node: string,
  { hosts }: ClusterView,
): NodeObstacle | undefined {
  return rootDeviceObstacle(from.values, hosts) ?? tieObstacle(node, from.values, hosts, machine.cores);
}

function deviceObstacle({ values, node: home }: Template, node: string): NodeObstacle | undefined {
  const key = node === home ? undefined : ownDevice(values);
  return key === undefined ? undefined : { code: 'device', key, node: home };
}

function obstacleFrom(
  machine: Machine,
  from: Template,
  node: string,
  index: ClusterView,
): NodeObstacle | undefined {
  return (
    offline(from, index) ??
    cloneObstacle(machine, from, node, index.hosts) ??
    deviceObstacle(from, node) ??
    filesObstacle(node, from.values, 'iso', index.hosts) ??
    missedObstacle(machine, from, node, index)
  );
}

/** Finished copies of the template as it is now, those on `node` first. */
function freshReplicas(origin: Template, node: string, index: ClusterView): Template[] {
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
function obstacleOfNeed(machine: Machine, need: ReplicaNeed, index: ClusterView): NodeObstacle | undefined {
  const volumes = replicaStorages(need, 'disks').map((storage) => ({
    key: '',
    storage,
    name: '',
    kind: 'disk' as const,
    bytes: 0,
  }));
  return linkedObstacle(machine, { vmid: need.source.vmid, node: need.home, volumes }, index.hosts);
}

function throughReplica(
  { machine, origin, node }: { readonly machine: Machine; readonly origin: Template; readonly node: string },
  { have, index }: Cluster,
): CloneWay | NodeObstacle {
  const ready = freshReplicas(origin, node, index).find(
    (from) => obstacleFrom(machine, from, node, index) === undefined,
  );
  if (ready) return { by: 'replica', origin, from: ready };
  const unreadable = offline(origin, index) ?? unreadableDisk(origin, index.hosts);
  if (unreadable) return unreadable;
  const need = replicaNeed(machine, origin, node, index);
  if ('code' in need) return need;
  const refused = copiesRefused(have, index);
  if (refused) return refused.obstacle;
  const obstacle =
    besideObstacle(need.storage === undefined ? {} : { storage: need.storage }, origin, index.hosts) ??
    obstacleOfNeed(machine, need, index) ??
    targetObstacle(machine, { node, vmid: origin.vmid }, node, index.hosts) ??
    missedObstacle(machine, origin, node, index);
  return obstacle ?? { by: 'new-replica', origin, need };
}

/**
 * The template on the node itself, else one on storage that both nodes have, else a copy of the only one there is; or
 * why there is no way. Of several templates none is copied: nothing tells which one is meant.
 */
export function findCloneWay(
  { machine, candidates }: ResolvedMachine,
  node: string,
  cluster: Cluster,
): CloneWay | NodeObstacle {
  const ordered = [...candidates].sort((a, b) => Number(b.node === node) - Number(a.node === node));
  const obstacles: NodeObstacle[] = [];
  for (const from of ordered) {
    const obstacle = obstacleFrom(machine, from, node, cluster.index);
    if (obstacle === undefined) return { by: 'template', origin: from, from };
    obstacles.push(obstacle);
  }
  const [origin, other] = candidates;
  const [only] = obstacles;
  if (!origin || !only) return { code: 'no-template' };
  if (other === undefined && origin.node === node) return only;
  if (other === undefined) return throughReplica({ machine, origin, node }, cluster);
  const list = candidates.map(describeTemplate).join(', ');
  return { code: 'of-several', templates: `${sayRef(machine.template)} (${list})`, obstacles };
}
