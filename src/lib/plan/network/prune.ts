/** Plans `bridges prune`: bridges of stands that nothing uses go, what an apply left is applied. Spares reserved ones. */
import { isAnyCloning } from '../cluster/locks.ts';
import { addTo } from '../../group.ts';
import type { BridgeInfo, Inventory, NodeNetwork } from '../../inventory/types.ts';
import { isYoung, planRemovals, stayingText, type Leaving } from './removal.ts';
import { hiddenNotes, indexBridgeUse, networksOf, viewNode, type BridgeRow } from './view.ts';
import {
  assertNodesExist,
  emptyDraft,
  finishNode,
  refusedBy,
  toPlan,
  unreachable,
  type NodeDraft,
  type NodePlan,
} from './node-draft.ts';
import { indexBridgeGuests, type BridgeGuests } from '../cluster/bridge-guests.ts';
import { isOlder } from '../../marks/time.ts';
import { parsePoolComment, type Claim } from '../../marks/pool.ts';
import { judgeClaimed, notesAsConfigs, type Claimant, type Seen } from '../stands/judge.ts';
import { claimedIds, isUnfinished, type ClaimedId } from '../stands/ownership.ts';
import type { NodesPlan } from '../document/plan.ts';
import { gapTexts } from '../document/text.ts';

export interface BridgesPruneInput {
  readonly have: Inventory;
  readonly nodes: readonly string[] | undefined;
  /** Nothing younger is removed. */
  readonly minAgeSeconds: number;
}

interface PooledClaim {
  readonly pool: string;
  readonly claim: Claim;
}

interface PruneContext {
  readonly input: BridgesPruneInput;
  readonly guests: BridgeGuests;
  /** By `lab user`. */
  readonly claims: ReadonlyMap<string, readonly PooledClaim[]>;
  /** Of those whose node was read; undefined: they are not readable. */
  readonly notes: ReadonlyMap<number, string | undefined>;
  readonly seen: Seen;
  readonly isCloning: boolean;
  readonly busy: ReadonlySet<string>;
}

function createContext(input: BridgesPruneInput): PruneContext {
  const { have } = input;
  const claims = new Map<string, PooledClaim[]>();
  const marks = new Map(have.pools.map(({ pool, comment }) => [pool, parsePoolComment(comment)]));
  for (const [pool, mark] of marks) {
    for (const claim of mark.claims) addTo(claims, `${claim.lab} ${mark.user ?? ''}`, { pool, claim });
  }
  const notes = new Map(have.bridgeUse.map(({ vmid, description }) => [vmid, description]));
  return {
    input,
    guests: indexBridgeGuests(have),
    claims,
    notes,
    seen: {
      guests: new Map(have.guests.map((guest) => [guest.vmid, guest])),
      configs: notesAsConfigs(notes),
      online: new Set(have.nodes.flatMap(({ name, online }) => (online ? [name] : []))),
      marks,
      // What 0.1.0 claimed is asked of its notes, below.
      acls: new Set(),
    },
    isCloning: isAnyCloning(have) === true,
    busy: new Set(have.tasks.map(({ id }) => id)),
  };
}

/** Made by us, or perhaps by us, and not finished, as far as can be told. */
function mayBeUnfinished(id: ClaimedId, claimant: Claimant, { notes, seen }: PruneContext): boolean {
  if (!seen.guests.has(id.vmid)) return false;
  // 0.1.0 wrote no states: of its VMs the notes alone tell.
  if (id.state === 'unstated' && !notes.has(id.vmid)) return false;
  return isUnfinished(id, judgeClaimed(id, claimant, seen), seen.configs.get(id.vmid)?.values) !== false;
}

/**
 * Between a stand's bridges and their NICs lie its clones: until they are configured no guest names the bridge. The id
 * of a clone task is the template's, so any clone may be of this stand.
 */
function isUnderWay({ lab = '', user = '' }: BridgeRow, context: PruneContext): boolean {
  const { have, minAgeSeconds } = context.input;
  return (context.claims.get(`${lab} ${user}`) ?? []).some(
    ({ pool, claim }) =>
      context.isCloning ||
      !isOlder(claim.since, minAgeSeconds, have.now) ||
      claimedIds(claim).some(
        (id) => context.busy.has(String(id.vmid)) || mayBeUnfinished(id, { pool, user }, context),
      ),
  );
}

function sparedBy(row: BridgeRow, info: BridgeInfo, context: PruneContext): string | undefined {
  const { have, minAgeSeconds } = context.input;
  if (isYoung(info, have.now, minAgeSeconds)) return 'it is younger than --min-age';
  return isUnderWay(row, context) ? 'its stand is being made, or was never finished' : undefined;
}

/** A stand's, that no listed guest names. */
interface Unused extends Leaving {
  readonly row: BridgeRow;
}

function unusedOf(row: BridgeRow, info: BridgeInfo, context: PruneContext): Unused[] {
  const { node, iface, owner, user } = row;
  if (owner !== 'stand' || context.guests.on(node, iface).naming.length > 0) return [];
  const reason = `no guest names it; made for ${ownerText(row)}`;
  return [{ row, node, info, user, reason, sparedBy: () => sparedBy(row, info, context) }];
}

function draftPrune(network: NodeNetwork, rows: readonly BridgeRow[], context: PruneContext): NodeDraft {
  const draft = emptyDraft();
  const infos = new Map(network.bridges.map((info) => [info.iface, info]));
  const ours = rows.filter(({ owner }) => owner !== 'foreign');
  const isThere = ({ iface, state }: BridgeRow): boolean => state !== 'going' && infos.has(iface);
  for (const row of ours) if (!isThere(row) && row.owner === 'stand') draft.gone.push(row.iface);
  const there = ours.filter(isThere);
  const unused = there.flatMap((row) => {
    const info = infos.get(row.iface);
    return info ? unusedOf(row, info, context) : [];
  });
  const { steps, staying } = planRemovals(unused, {
    networks: [network],
    bridgeGuests: context.guests,
  });
  draft.edits.push(...steps);
  const goes = new Set(unused.map(({ row }) => row));
  for (const { one, why } of staying) {
    if (why.code === 'staged-by-others') {
      draft.refused = refusedBy(why.staged);
      continue;
    }
    goes.delete(one.row);
    draft.notes.push(`${one.row.iface} (${ownerText(one.row)}) stays: ${stayingText(why)}`);
  }
  for (const row of there) if (!goes.has(row) && row.state !== 'active') draft.up.push(row.iface);
  return draft;
}

function ownerText({ user, lab, network }: BridgeRow): string {
  return `${user ?? ''} ${lab ?? ''} ${network ?? ''}`.trim();
}

/** A node that nobody named is left out while it is away; one that was asked for is refused. */
function prunedNode(network: NodeNetwork, rows: readonly BridgeRow[], context: PruneContext): NodePlan {
  const { node } = network;
  if (network.readable) return finishNode(network, draftPrune(network, rows, context));
  const refused = unreachable(network);
  if (context.input.nodes) return { planned: { node, notes: [], refused }, steps: [] };
  return { planned: { node, notes: [`left out: ${refused.message}`] }, steps: [] };
}

/**
 * Removes bridges of stands that no guest names, and applies once more what an earlier apply of ours left. Throws
 * PlanRefusedError when there is something to do and no node will do.
 */
export function planBridgesPrune(input: BridgesPruneInput): NodesPlan {
  const { have, nodes } = input;
  assertNodesExist(have, nodes);
  const context = createContext(input);
  const use = indexBridgeUse(have);
  const plans = networksOf(have, nodes).map((network) =>
    prunedNode(network, viewNode(network, use.get(network.node)), context),
  );
  return toPlan(plans, [...gapTexts(have), ...hiddenNotes(have)]);
}
