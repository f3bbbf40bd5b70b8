/** How a platform says what may not move, and not there: codes for programs, words for people. */
import type { RejectionCode } from '../../document/balance-report.ts';
import type { Board } from './board.ts';
import type { Node } from './types.ts';
import type { Unit } from './units.ts';

export interface Obstacle {
  /** Stable; also the code of the rejection. */
  readonly code: RejectionCode;
  readonly text: string;
}

/** What a move is for; a mandatory one is held back by less. */
export type Purpose = 'load' | 'evacuate' | 'evacuate-anyway' | 'rule' | 'mend' | 'mend-back' | 'mend-anyway';

/** A torn stand is put together. */
export function isMending(purpose: Purpose): boolean {
  return purpose === 'mend' || purpose === 'mend-back' || purpose === 'mend-anyway';
}

/** There is no other way: what has happened before does not hold it back. */
export function isLastResort(purpose: Purpose): boolean {
  return purpose === 'mend-anyway' || purpose === 'evacuate-anyway';
}

/** A node that something might go to, as things stand in the plan. */
export interface Destination {
  readonly target: Node;
  readonly board: Board;
  readonly purpose: Purpose;
}

export interface Constraints {
  /** Why the unit stays, whatever the target. */
  readonly ofUnit: (unit: Unit, purpose: Purpose) => Obstacle | undefined;
  /** Why nothing can go there. */
  readonly ofNode: (destination: Destination) => Obstacle | undefined;
  /** Why this unit cannot go to a node that is otherwise a target. */
  readonly ofMove: (unit: Unit, destination: Destination) => Obstacle | undefined;
  /** Codes of obstacles that time does not take away. */
  readonly lasting: ReadonlySet<RejectionCode>;
}
