/** What a stand's machine is cloned from on its node, ordering the replica that it needs. Makes no clone step. */
import { toldKind, type GuestAt } from '../../pve-values/guest-kinds.ts';
import { storageTraits } from '../../pve-values/storage-types.ts';
import type { Inventory, StorageInfo } from '../../inventory/types.ts';
import { storageLocks } from '../cluster/storage-locks.ts';
import { cloneLocks } from './clone-rules.ts';
import { findCloneWay, isWay, type ResolvedMachine } from './clone-ways.ts';
import { sayObstacle, wayOut } from '../obstacles/obstacle-text.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { ReplicaPlanner } from './replica-steps.ts';
import type { Template } from '../cluster/templates.ts';
import type { Refusal } from '../document/plan.ts';

/** What is cloned, and where it is. */
export interface CloneSource extends GuestAt {
  /** Template that the lab names. */
  readonly origin: Template;
  readonly locks: readonly string[];
  /** Steps that have to make it first. */
  readonly dependsOn: readonly string[];
  /** Set for linked clones of a replica. */
  readonly base?: number;
  readonly warnings: readonly string[];
}

interface Context {
  readonly lab: { readonly placement: { readonly movable?: boolean } };
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly replicas: ReplicaPlanner;
}

function immovable(
  { machine }: ResolvedMachine,
  node: string,
  storages: readonly string[],
  { lab, index }: Context,
): string[] {
  if (lab.placement.movable !== true || machine.fullClone) return [];
  const rows = storages.flatMap((name): StorageInfo[] => {
    const row = index.storages.get(`${node}/${name}`);
    return row && !row.shared && storageTraits(row.type).bindsClones ? [row] : [];
  });
  return [...new Set(rows.map(({ storage, type }) => `${storage} (${type})`))].map(
    (where) =>
      `placement.movable: machine ${machine.name} is a linked clone on ${where}, which PVE can never move to another node; set full_clone: true`,
  );
}

export function cloneSource(
  resolved: ResolvedMachine,
  node: string,
  context: Context,
): CloneSource | Refusal {
  const { machine } = resolved;
  const { have, index, replicas } = context;
  const way = findCloneWay(resolved, node, { have, index });
  if (!isWay(way)) {
    const hint = wayOut(way, node);
    const message = `machine ${machine.name} cannot be made on ${node}: ${sayObstacle(way, node)}`;
    return { code: 'NODE_UNFIT', message, ...(hint === undefined ? {} : { hint }) };
  }
  const { origin } = way;
  if (way.by !== 'new-replica') {
    const { from } = way;
    const disks = from.volumes.filter(({ kind }) => kind === 'disk').map(({ storage }) => storage);
    return {
      origin,
      vmid: from.vmid,
      node: from.node,
      ...toldKind(from),
      locks: cloneLocks(machine, from, index.storages),
      dependsOn: [],
      ...(way.by === 'replica' && !machine.fullClone ? { base: from.vmid } : {}),
      warnings: immovable(resolved, node, disks, context),
    };
  }
  const replica = replicas.take(way.need);
  if ('code' in replica) return replica;
  const names = machine.storage === undefined ? replica.storages : [machine.storage];
  return {
    origin,
    vmid: replica.vmid,
    node: replica.node,
    ...toldKind(origin),
    locks: storageLocks(names, replica.node, index.storages),
    dependsOn: [replica.ready],
    ...(machine.fullClone ? {} : { base: replica.vmid }),
    warnings: immovable(resolved, node, replica.storages, context),
  };
}
