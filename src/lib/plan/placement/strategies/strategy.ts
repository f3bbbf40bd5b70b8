/** What a placement strategy is. Knows no strategy by name. */
import type { Lab } from '../../../config/types.ts';
import type { ResolvedMachine } from '../../templates/clone-ways.ts';
import type { Block, Board } from '../board.ts';

export interface PlacementStrategy {
  /** The only nodes that come into question; absent, or undefined: all that the lab wants. */
  readonly candidates?: (lab: Lab, machines: readonly ResolvedMachine[]) => readonly string[] | undefined;
  /** Machines stand where their templates are, each by itself: a stand may be on several nodes. */
  readonly followsTemplates?: true;
  /** Also onto a node that HA is emptying: somebody asked for just this one. */
  readonly takesMaintenance?: boolean;
  /** Whether the load of the nodes has to be read. */
  readonly readsLoad?: boolean;
  /** Why a stand is where it is, whatever a claim or a saved plan says of it, too. */
  readonly reason?: string;
  /** Puts on the board what finds room there; answers what is told of the choice, where there is something to tell. */
  readonly place: (blocks: readonly Block[], board: Board) => ReadonlyMap<Block, string>;
}
