/** Says of the finished plan what each node carries and why each guest moves or stays. Decides nothing. */
import type { Board } from './board.ts';
import { isLoad, type ChosenMove, type Draft } from './draft.ts';
import type { Obstacle } from './constraints.ts';
import { breaches, isOverloaded, isRunning, negative, toNodeLoad } from './load.ts';
import { overloadedNodes } from './relieve.ts';
import { MODES } from './modes.ts';
import type {
  NodeLoad,
  NodeReport,
  PlannedMove,
  RejectedMove,
  RejectionCode,
  StuckStand,
} from '../../document/balance-report.ts';
import { bytesToMove, type Unit } from './units.ts';
import { TARGETS, type Reach } from './rules/target-rules.ts';
import { standKey, type Guest } from './types.ts';
import { storageMapOf, type World } from './world.ts';
import { sortedUnique } from '../../../order.ts';

function loadOf(node: string, board: Board, world: World): NodeLoad {
  return toNodeLoad(board.demand(node), board.loads(node), world.config);
}

function guestsOn(board: Board, world: World): Map<string, number> {
  const counts = new Map<string, number>();
  for (const vmid of world.guests.keys()) {
    const node = board.whereIs(vmid) ?? '';
    counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  return counts;
}

export function nodeReports(before: Board, after: Board, world: World): NodeReport[] {
  const counts = { before: guestsOn(before, world), after: guestsOn(after, world) };
  return [...world.nodes.values()].map(({ name, online, maintenance }) => ({
    node: name,
    online,
    maintenance,
    before: loadOf(name, before, world),
    after: loadOf(name, after, world),
    overloaded: online ? breaches(before.loads(name), world.config, 'overload').map(({ text }) => text) : [],
    guests: { before: counts.before.get(name) ?? 0, after: counts.after.get(name) ?? 0 },
  }));
}

function plannedMigration(guest: Guest, to: string, world: World): PlannedMove['guests'][number] {
  const storageMap = storageMapOf(guest.vmid, to, world);
  return {
    vmid: guest.vmid,
    name: guest.name ?? '',
    from: guest.node,
    running: isRunning(guest),
    ha: world.queued.has(guest.vmid),
    bytes: bytesToMove(guest, world),
    ...(guest.restarts === true ? { restarts: true as const } : {}),
    ...(storageMap ? { storageMap } : {}),
  };
}

/** Carries the moves out on `board`, one by one, and says what each does. */
export function plannedMoves(moves: readonly ChosenMove[], board: Board, world: World): PlannedMove[] {
  return moves.map(({ unit, from, to, why, reason }) => {
    const source = from[0] ?? unit.node;
    const before = { source: loadOf(source, board, world), target: loadOf(to, board, world) };
    board.move(unit.vmids, to);
    return {
      unit: unit.kind,
      name: unit.name,
      why,
      from,
      to,
      guests: unit.guests.map((guest) => plannedMigration(guest, to, world)),
      bytes: unit.bytes,
      reason,
      loads: {
        source: { before: before.source, after: loadOf(source, board, world) },
        target: { before: before.target, after: loadOf(to, board, world) },
      },
    };
  });
}

type Targets = NonNullable<RejectedMove['targets']>;

/** Obstacles that are the same for every unit, by node; looking them up once spares most of the work. */
type NodeObstacles = ReadonlyMap<string, Obstacle | undefined>;

function reachOf({ world: { config } }: Draft, purpose: 'load' | 'evacuate-anyway'): Reach {
  return purpose === 'load' ? MODES[config.mode].reach : TARGETS;
}

function nodeObstacles(draft: Draft, purpose: 'load' | 'evacuate-anyway'): NodeObstacles {
  const reach = reachOf(draft, purpose);
  return new Map(
    [...draft.world.nodes.keys()].map((name) => [name, draft.nodeObstacle(name, purpose, reach)]),
  );
}

function targetsOf(unit: Unit, draft: Draft, nodes: NodeObstacles): Targets {
  const byCode = new Map<string, { code: string; reason: string; nodes: string[] }>();
  const purpose = draft.world.evacuated.has(unit.node) ? 'evacuate-anyway' : 'load';
  for (const [name, general] of nodes) {
    if (name === unit.node) continue;
    const obstacle = general ?? draft.unitObstacleAt(unit, name, purpose, reachOf(draft, purpose));
    if (!obstacle) continue;
    const entry = byCode.get(obstacle.code);
    if (entry) entry.nodes.push(name);
    else byCode.set(obstacle.code, { code: obstacle.code, reason: obstacle.text, nodes: [name] });
  }
  return [...byCode.values()];
}

function reject(unit: Unit, code: RejectionCode, reason: string, targets?: Targets): RejectedMove {
  return {
    unit: unit.kind,
    name: unit.name,
    vmids: [...unit.vmids].sort((a, b) => a - b),
    node: unit.node,
    code,
    reason,
    ...(targets ? { targets } : {}),
  };
}

/** Why nothing more has to leave a node. */
function settled(node: string, draft: Draft): string | undefined {
  const { config } = draft.world;
  return isOverloaded(draft.board.loads(node), config) ? undefined : MODES[config.mode].settled(node, draft);
}

/** Why this unit of a node that has something to give away stays. */
function reasonFor(
  unit: Unit,
  draft: Draft,
  { nodes, done }: { readonly nodes: NodeObstacles; readonly done: string | undefined },
): RejectedMove {
  const { world, board } = draft;
  const isEvacuated = world.evacuated.has(unit.node);
  const purpose = isEvacuated ? 'evacuate-anyway' : 'load';
  const obstacle = draft.obstacle(unit, purpose);
  if (obstacle) return reject(unit, obstacle.code, obstacle.text);
  if (world.closed.all !== undefined)
    return reject(unit, 'blackout', `nothing moves now: ${world.closed.all}`);
  if (!isEvacuated && !isLoad(unit))
    return reject(unit, 'no-load', 'does not run, so its move would relieve nothing');
  if (done !== undefined) return reject(unit, 'not-needed', done);
  const targets = targetsOf(unit, draft, nodes);
  if (targets.reduce((count, { nodes }) => count + nodes.length, 0) === world.nodes.size - 1)
    return reject(unit, 'no-target', 'no node can take it', targets);
  const after = board.loadsWith(unit.node, negative(unit.demand));
  const isUseless = MODES[world.config.mode].isUseless(board.loads(unit.node), after, world);
  return reject(
    unit,
    'no-gain',
    isUseless ? 'its move would gain too little' : 'no move of it is an improvement',
  );
}

/** Nodes whose units all have to be accounted for. `before`: as the plan found them. */
export function consideredNodes(draft: Draft, before: Draft): string[] {
  const { world } = draft;
  if (world.evacuated.size > 0) return sortedUnique(world.evacuated);
  return sortedUnique([...overloadedNodes(before), ...MODES[world.config.mode].givers(draft, before)]);
}

export function rejections(
  nodes: readonly string[],
  draft: Draft,
  deferred: readonly ChosenMove[],
): RejectedMove[] {
  const late = new Set(deferred.map(({ unit }) => unit));
  // The part to which the rest of its stand comes has nothing to explain.
  const mended = new Set(
    draft.moves
      .filter((move) => move.why === 'half-moved' && !deferred.includes(move))
      .flatMap(({ unit }) => unit.stands.map(standKey)),
  );
  const { evacuated } = draft.world;
  const obstacles = nodeObstacles(draft, evacuated.size > 0 ? 'evacuate-anyway' : 'load');
  return nodes.flatMap((node) => {
    const around = { nodes: obstacles, done: evacuated.has(node) ? undefined : settled(node, draft) };
    return (draft.units.on.get(node) ?? []).flatMap((unit) => {
      if (late.has(unit))
        return [reject(unit, 'limit', 'the limits of this run are reached; the next one goes on')];
      const isMended = unit.stands.some((stand) => mended.has(standKey(stand)));
      return draft.hasMoved(unit) || isMended ? [] : [reasonFor(unit, draft, around)];
    });
  });
}

export function stuckStands(rejected: readonly RejectedMove[], draft: Draft): StuckStand[] {
  const codes: ReadonlySet<string> = draft.constraints.lasting;
  return rejected.flatMap(({ vmids, code, reason, targets }) => {
    const lasting = codes.has(code)
      ? reason
      : targets?.every((one) => codes.has(one.code)) === true
        ? targets[0]?.reason
        : undefined;
    const unit = draft.units.of.get(vmids[0] ?? -1);
    if (lasting === undefined || !unit) return [];
    return unit.stands.map(({ lab, user }) => ({ lab, user, nodes: [unit.node], vmids, reason: lasting }));
  });
}
