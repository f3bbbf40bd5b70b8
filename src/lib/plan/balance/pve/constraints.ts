/** Answers core's questions by PVE's rules: looks its guests and nodes up, and asks the tables of obstacles. */
import type { RejectionCode } from '../../document/balance-report.ts';
import type { Constraints, Destination } from '../core/constraints.ts';
import type { Unit as AnyUnit } from '../core/units.ts';
import { unitObstacle } from './guest-obstacles.ts';
import { targetNodeObstacle, unitTargetObstacle, type NodeView } from './target-obstacles.ts';
import type { Unit, World } from './world.ts';

/** Obstacles that time does not take away. */
const LASTING = new Set<RejectionCode>([
  'linked-clone',
  'snapshots',
  'local-iso',
  'local-disks',
  'passthrough',
  'not-live',
  'host-mount',
  'bridge-taken',
  'foreign',
  'unreadable',
]);

export function constraintsOn(world: World): Constraints {
  const units = new WeakMap<AnyUnit, Unit>();
  const ours = (unit: AnyUnit): Unit => {
    const known = units.get(unit);
    if (known) return known;
    const own = { ...unit, guests: unit.guests.flatMap(({ vmid }) => world.guests.get(vmid) ?? []) };
    units.set(unit, own);
    return own;
  };
  const view = ({ target, board, purpose }: Destination): NodeView | undefined => {
    const node = world.nodes.get(target.name);
    return node && { target: node, world, board, purpose };
  };
  return {
    ofUnit: (unit, purpose) => unitObstacle(ours(unit), world, purpose),
    ofNode: (destination) => {
      const there = view(destination);
      return there && targetNodeObstacle(there);
    },
    ofMove: (unit, destination) => {
      const target = world.nodes.get(destination.target.name);
      const { board, purpose } = destination;
      return target && unitTargetObstacle({ target, world, board, purpose, unit: ours(unit) });
    },
    lasting: LASTING,
  };
}
