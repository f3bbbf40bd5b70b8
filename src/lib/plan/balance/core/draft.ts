/** The plan in the making: moves chosen so far, and the search for a target. Knows no reason to move. */
import { compareNatural } from '../../../order.ts';
import type { Board } from './board.ts';
import { isMending, type Constraints, type Destination, type Obstacle, type Purpose } from './constraints.ts';
import { isBelow, severityOf } from './load.ts';
import type { PlannedMove } from '../../document/balance-report.ts';
import { nodeRuleObstacle, roomObstacle, TARGETS, wishObstacle, type Reach } from './rules/target-rules.ts';
import { standKey } from './types.ts';
import type { World } from './world.ts';
import type { Unit, UnitIndex } from './units.ts';

export interface ChosenMove {
  readonly unit: Unit;
  readonly from: readonly string[];
  readonly to: string;
  readonly why: PlannedMove['why'];
  readonly reason: string;
}

/** What a search found. */
interface Relieved {
  readonly picks: readonly { readonly unit: Unit }[];
  readonly cost: number;
  readonly leastWhole: number;
}

export class Draft {
  readonly world: World;
  readonly constraints: Constraints;
  readonly board: Board;
  readonly units: UnitIndex;
  readonly moves: ChosenMove[] = [];
  /** Stands that are on several nodes: they are put together, not balanced. */
  readonly torn: ReadonlySet<string>;
  /** Guests whose configurations are worth reading next, the likeliest first. */
  readonly interesting = new Set<number>();
  /** What the relief of nodes costs, and what it costs at least. `felt`: of the cost what is more than a count of migrations. */
  readonly relief = { cost: 0, least: 0, felt: 0 };
  readonly #moved = new Set<number>();
  readonly #obstacles: Map<Unit, Obstacle | null>;

  constructor(
    parts: Pick<Draft, 'world' | 'constraints' | 'board' | 'units' | 'torn'>,
    obstacles = new Map<Unit, Obstacle | null>(),
  ) {
    this.#obstacles = obstacles;
    this.world = parts.world;
    this.constraints = parts.constraints;
    this.board = parts.board;
    this.units = parts.units;
    this.torn = parts.torn;
  }

  hasMoved({ vmids }: Unit): boolean {
    return this.hasMovedAny(vmids);
  }

  hasMovedAny(vmids: readonly number[]): boolean {
    return vmids.some((vmid) => this.#moved.has(vmid));
  }

  /** A draft to try on; what it moves is moved on the same board. */
  snapshot(): Draft {
    const copy = new Draft(this, this.#obstacles);
    for (const vmid of this.#moved) copy.#moved.add(vmid);
    return copy;
  }

  commit(move: ChosenMove): void {
    this.board.move(move.unit.vmids, move.to);
    for (const vmid of move.unit.vmids) this.#moved.add(vmid);
    this.moves.push(move);
  }

  account({ cost, leastWhole, picks }: Relieved): void {
    this.relief.cost += cost;
    this.relief.least += leastWhole;
    this.relief.felt += picks.reduce((sum, { unit }) => sum + costOf(unit) - unit.vmids.length * OVERHEAD, 0);
  }

  /** Why the unit stays, for balance's own sake; known from the start of the plan on. */
  obstacle(unit: Unit, purpose: Purpose): Obstacle | undefined {
    const known = purpose === 'load' ? this.#obstacles.get(unit) : undefined;
    if (known !== undefined) return known ?? undefined;
    const torn = unit.stands.find((stand) => this.torn.has(standKey(stand)));
    const obstacle: Obstacle | undefined =
      torn && !isMending(purpose)
        ? { code: 'half-moved', text: `stand ${torn.lab} of ${torn.user} is on several nodes` }
        : this.constraints.ofUnit(unit, purpose);
    if (purpose === 'load') this.#obstacles.set(unit, obstacle ?? null);
    return obstacle;
  }

  /** Units of which a move would relieve the node, and that may move for it. */
  relieving(node: string): Unit[] {
    return (this.units.on.get(node) ?? []).filter(
      (unit) => isLoad(unit) && !this.hasMoved(unit) && this.obstacle(unit, 'load') === undefined,
    );
  }

  /** Why nothing can go there, as things stand now. */
  nodeObstacle(to: string, purpose: Purpose, reach: Reach = TARGETS): Obstacle | undefined {
    const destination = this.#destination(to, purpose);
    if (!destination) return { code: 'offline', text: 'does not exist' };
    return (
      this.constraints.ofNode(destination) ?? nodeRuleObstacle({ ...destination, world: this.world, reach })
    );
  }

  /** Why it cannot go there, as things stand now. */
  targetObstacle(unit: Unit, to: string, purpose: Purpose, reach: Reach = TARGETS): Obstacle | undefined {
    return this.nodeObstacle(to, purpose, reach) ?? this.unitObstacleAt(unit, to, purpose, reach);
  }

  /** The same for a node that is a target as such. */
  unitObstacleAt(unit: Unit, to: string, purpose: Purpose, reach: Reach = TARGETS): Obstacle | undefined {
    const destination = this.#destination(to, purpose);
    if (!destination) return undefined;
    return (
      roomObstacle({ ...destination, unit, world: this.world, reach }) ??
      this.#unwanted(unit, destination, reach)
    );
  }

  /** The same without regard to load and room. */
  unwantedAt(unit: Unit, to: string, purpose: Purpose): Obstacle | undefined {
    const destination = this.#destination(to, purpose);
    return destination && this.#unwanted(unit, destination, TARGETS);
  }

  #unwanted(unit: Unit, destination: Destination, reach: Reach): Obstacle | undefined {
    const { target, board, purpose } = destination;
    return (
      wishObstacle({ target, board, purpose, unit, world: this.world, reach }) ??
      this.constraints.ofMove(unit, destination)
    );
  }

  #destination(to: string, purpose: Purpose): Destination | undefined {
    const target = this.world.nodes.get(to);
    return target && { target, board: this.board, purpose };
  }

  /** The node that is least loaded with the unit on it; ties in natural order. */
  findTarget(
    unit: Unit,
    purpose: Purpose,
    {
      among = this.world.nodes.keys(),
      reach = TARGETS,
    }: { readonly among?: Iterable<string>; readonly reach?: Reach } = {},
  ): string | undefined {
    const { world, board } = this;
    const ranked: { readonly name: string; readonly severity: number }[] = [];
    for (const name of among) {
      if (name === unit.node || !world.nodes.has(name)) continue;
      if (!board.isBelow(name, reach.receivers)) continue;
      const after = board.loadsAsTarget(name, unit.demand);
      if (isBelow(after, world.config, reach.ceiling))
        ranked.push({ name, severity: severityOf(after, world.config) });
    }
    ranked.sort((a, b) => a.severity - b.severity || compareNatural(a.name, b.name));
    return ranked.find(({ name }) => this.targetObstacle(unit, name, purpose, reach) === undefined)?.name;
  }
}

/** Does it take anything of its node? What is off does not. */
export function isLoad({ demand }: Unit): boolean {
  return demand.threads > 0 || demand.committed > 0;
}

export const OVERHEAD = 2 ** 29;
/** Nobody notices a live migration; so many bytes of them are preferred to one restart. */
const RESTART = 2 ** 36;

/** What a move costs, in bytes; each migration is taken as half a GiB more than it copies, so that fewer win ties. */
export function costOf({ bytes, vmids, restarts }: Unit): number {
  return bytes + vmids.length * OVERHEAD + restarts * RESTART;
}
