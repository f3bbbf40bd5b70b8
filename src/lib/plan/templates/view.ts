/** What `templates list` tells: each template, its replicas, what hangs on them, and from where it can be used. */
import { isTemplate } from '../../pve-values/guest-flags.ts';
import { addTo } from '../../group.ts';
import type { Lab, Machine } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { linkedObstacle } from './clone-rules.ts';
import { findCloneWay, isWay, type Cluster } from './clone-ways.ts';
import { hostObstacle } from '../obstacles/node-obstacles.ts';
import { sayObstacle } from '../obstacles/obstacle-text.ts';
import { resolveMachines } from './find.ts';
import { viewOf, type ClusterView } from '../cluster/view.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import { claimedVmids, replicaUses, type ReplicaUse } from './use.ts';
import { clonesOfTemplate } from '../cluster/replicas.ts';
import { nameable, toTemplate, type Template } from '../cluster/templates.ts';
import { copiesRefused, untoldWarnings } from './copies-refused.ts';
import { gapTexts } from '../document/text.ts';

export interface ReplicaRow {
  readonly vmid: number;
  readonly node: string;
  /** `claimed`: not made yet. `unknown`: the template cannot be read to compare with. */
  readonly state: 'fresh' | 'stale' | 'unfinished' | 'claimed' | 'foreign' | 'unreadable' | 'unknown';
  /** VMs of stands that are, or may be, linked clones of it. */
  readonly clones: readonly number[];
  /** ISO 8601 UTC. */
  readonly since: string;
}

export interface UsableRow {
  readonly node: string;
  /** `template`: it is cloned itself. `new-replica`: a copy would be made first. */
  readonly by: 'template' | 'replica' | 'new-replica' | 'none';
  /** What is cloned; absent where it has to be made, or there is no way. */
  readonly vmid?: number;
  /** Why there is no way. */
  readonly reason?: string;
}

export interface TemplateRow {
  readonly vmid: number;
  readonly name: string;
  readonly node: string;
  readonly storages: readonly { readonly storage: string; readonly type: string; readonly shared: boolean }[];
  /** Only full clones can be made of it. */
  readonly fullOnly: boolean;
  /** Linked clones of it among the VMs of stands; null where the storage does not tell. */
  readonly linkedClones: number | null;
  readonly replicas: readonly ReplicaRow[];
  readonly usable: readonly UsableRow[];
}

export interface TemplateReport {
  readonly templates: readonly TemplateRow[];
  /** Replicas of templates that are gone. */
  readonly orphans: readonly ReplicaRow[];
  readonly notes: readonly string[];
}

function stateOf({ replica, freshness }: ReplicaUse): ReplicaRow['state'] {
  if (replica.state === 'open') return 'claimed';
  if (replica.state !== 'ready') return replica.state;
  return freshness === 'source-gone' ? 'unknown' : freshness;
}

function toRow(use: ReplicaUse): ReplicaRow {
  const { claim, node } = use.replica;
  return { vmid: claim.vmid, node, state: stateOf(use), clones: use.clones, since: claim.since };
}

/** Any machine, for templates that no lab speaks of. */
function anyMachine(vmid: number, fullClone: boolean): Machine {
  return {
    name: 'any',
    deviceType: 'linux',
    template: { by: 'vmid', vmid },
    fullClone,
    networks: [],
    start: false,
    tags: [],
    line: 1,
  };
}

function usableFrom(
  node: string,
  { template, machines }: { readonly template: Template; readonly machines: readonly Machine[] },
  cluster: Cluster,
): UsableRow {
  const gone = hostObstacle(node, cluster.index.hosts);
  if (gone) return { node, by: 'none', reason: sayObstacle(gone, node) };
  let usable: UsableRow = { node, by: 'none' };
  for (const machine of machines) {
    const way = findCloneWay({ machine, template, candidates: [template] }, node, cluster);
    if (!isWay(way)) return { node, by: 'none', reason: sayObstacle(way, node) };
    usable = { node, by: way.by, ...(way.by === 'new-replica' ? {} : { vmid: way.from.vmid }) };
  }
  return usable;
}

interface View {
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly uses: readonly ReplicaUse[];
  readonly claimed: ReadonlySet<number>;
  readonly nodes: readonly string[];
  /** Machines of the lab by the VMIDs of their templates; undefined without a lab. */
  readonly machines: ReadonlyMap<number, readonly Machine[]> | undefined;
}

function viewTemplate(template: Template, view: View): TemplateRow {
  const { have, index, uses, claimed, nodes, machines } = view;
  const { vmid, name, node } = template;
  const fullOnly = linkedObstacle(anyMachine(vmid, false), template, index.hosts) !== undefined;
  const used = machines?.get(vmid) ?? [anyMachine(vmid, fullOnly)];
  const names = sortedUnique(template.volumes.map(({ storage }) => storage));
  return {
    vmid,
    name,
    node,
    storages: names.map((storage) => {
      const row = index.storages.get(`${node}/${storage}`);
      return { storage, type: row?.type ?? '?', shared: row?.shared === true };
    }),
    fullOnly,
    linkedClones: clonesOfTemplate(template, index, claimed),
    replicas: uses.filter(({ replica }) => replica.claim.source === vmid).map(toRow),
    usable: nodes.map((one) => usableFrom(one, { template, machines: used }, { have, index })),
  };
}

function machinesByTemplate(lab: Lab, have: Inventory): Map<number, Machine[]> {
  const map = new Map<number, Machine[]>();
  for (const { machine, candidates } of resolveMachines(lab, have)) {
    for (const { vmid } of candidates) addTo(map, vmid, machine);
  }
  return map;
}

/** Without a lab all that one may name. With one its templates, judged as its machines need them. Throws PlanRefusedError when one is missing. */
export function viewTemplates(have: Inventory, lab: Lab | undefined): TemplateReport {
  const index = viewOf(have);
  const uses = replicaUses(have, index).sort((a, b) => compareNatural(a.replica.node, b.replica.node));
  const machines = lab && machinesByTemplate(lab, have);
  const shown = machines ?? new Set(nameable(have).map(({ vmid }) => vmid));
  const nodes = have.nodes.map(({ name }) => name).sort(compareNatural);
  const view: View = { have, index, uses, claimed: claimedVmids(index), nodes, machines };
  const templates = have.templates
    .filter(({ vmid, values }) => isTemplate(values) && shown.has(vmid))
    .sort((a, b) => a.vmid - b.vmid)
    .map((config) => viewTemplate(toTemplate(config), view));
  const orphans = uses.filter(({ freshness }) => freshness === 'source-gone').map(toRow);
  const copies = copiesRefused(have, index);
  const reasons = templates.flatMap(({ usable }) => usable.flatMap(({ reason }) => reason ?? []));
  const untold = copies && reasons.includes(sayObstacle(copies.obstacle)) ? untoldWarnings(copies) : [];
  return { templates, orphans, notes: [...gapTexts(have), ...untold] };
}
