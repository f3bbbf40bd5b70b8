/** Plays commands while others make their moves at chosen writes of theirs, and tells what was done to whose objects. */
import { InternalError, StandError } from '../../src/lib/errors.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import type { Version } from '../../src/lib/simulator/version.ts';
import { run, type CommandWrite, type RunningCluster } from '../workflow/in-process.ts';
import { COMMANDS, scenarioOf, type Command, type CommandName } from './class.ts';
import {
  copyBook,
  findHarm,
  judgeWrite,
  noteWrite,
  openBook,
  printsOf,
  type Book,
  type Finding,
} from './ledger.ts';
import { MOVES, Stage, type Move, type MoveName } from './moves.ts';

/** A move, and the write of the command before which it is made; 0: before the command begins. */
export interface Turn {
  readonly move: MoveName;
  readonly at: number;
  readonly draws: readonly number[];
}

export interface Act {
  readonly command: CommandName;
  readonly turns: readonly Turn[];
  /** The command dies at that write, before it hears the answer. */
  readonly killAt?: number;
}

/** Where a story begins. */
export interface Start {
  readonly version: Version;
  readonly base: Base;
  /** An administrator has given one student Pool.Allocate on the own pool. */
  readonly delegated: boolean;
}

/** `killed`: in the middle of the first deploy. `old`: with the claims that 0.1.0 wrote. */
export type Base =
  'empty' | 'made' | 'larger' | 'killed early' | 'killed' | 'killed late' | 'expired' | 'old';

interface World {
  state: ClusterState;
  readonly book: Book;
  readonly seen: Map<number, string>;
}

export interface Told {
  readonly findings: readonly string[];
  /** Requests of the command that PVE carried out. */
  readonly writes: number;
  readonly error?: unknown;
}

function isPossible({ versions }: Move, version: Version): boolean {
  return versions?.includes(version) ?? true;
}

async function makeMove({ move, draws }: Turn, world: World, cluster: RunningCluster): Promise<void> {
  const { simulator, time } = cluster;
  if (!isPossible(MOVES[move], simulator.version)) return;
  try {
    await MOVES[move].make(new Stage({ simulator, time, book: world.book, seen: world.seen, draws }));
  } catch (error) {
    // Nobody of that name yet: the login is refused.
    if (!(error instanceof Error) || !error.message.startsWith('login: ')) throw error;
  }
}

export async function act({ command: name, turns, killAt }: Act, world: World): Promise<Told> {
  const { book, state } = world;
  const command: Command = COMMANDS[name];
  const found: Finding[] = [];
  const judged = new Map<number, Finding[]>();
  let writes = 0;
  const moveAt = async (at: number, cluster: RunningCluster): Promise<void> => {
    for (const turn of turns.filter((one) => one.at === at)) {
      found.push(...findHarm(cluster.simulator.snapshot(), book, command));
      await makeMove(turn, world, cluster);
      book.prints = printsOf(cluster.simulator.snapshot(), book);
    }
  };
  const ended = await run(scenarioOf(state.version), state, command.run, {
    witness: {
      begin: (cluster) => moveAt(0, cluster),
      before: async (write, cluster) => {
        await moveAt(write.n, cluster);
        judged.set(write.n, judgeWrite(write, { book, command, state: () => cluster.simulator.snapshot() }));
      },
      after: (write: CommandWrite, status) => {
        if (status === 200) {
          writes += 1;
          found.push(...(judged.get(write.n) ?? []));
          noteWrite(write, book);
        }
        return Promise.resolve(write.n === killAt ? 'die' : undefined);
      },
    },
  });
  world.state = ended.state;
  found.push(...findHarm(ended.state, book, command));
  const { error } = ended;
  const isExplained =
    error === undefined || (error instanceof StandError && !(error instanceof InternalError));
  if (!isExplained) throw new Error(`${name} has a defect`, { cause: error });
  return {
    findings: found.filter(({ guest }) => guest?.made !== false).map(({ text }) => `${name}: ${text}`),
    writes,
    ...(error === undefined ? {} : { error }),
  };
}

const EARLY = 9;
const MIDDLE = 14;
const LATE = 20;

const HOW: Readonly<Record<Base, readonly Act[]>> = {
  empty: [],
  made: [{ command: 'deploy', turns: [] }],
  larger: [{ command: 'deploy larger', turns: [] }],
  'killed early': [{ command: 'deploy', turns: [], killAt: EARLY }],
  killed: [{ command: 'deploy', turns: [], killAt: MIDDLE }],
  'killed late': [{ command: 'deploy', turns: [], killAt: LATE }],
  expired: [{ command: 'deploy', turns: [] }],
  old: [{ command: 'deploy', turns: [] }],
};

function editComments(state: ClusterState, edit: (comment: string) => string): ClusterState {
  return { ...state, pools: state.pools.map((pool) => ({ ...pool, comment: edit(pool.comment) })) };
}

/** What 0.1.0 would have written. */
function oldClaims(comment: string): string {
  return comment.replaceAll(
    / vms=(\S+)/g,
    (_, vms: string) => ` vmids=${[...vms.matchAll(/:(\d+)/g)].map(([, vmid]) => vmid).join(',')}`,
  );
}

function editBase({ base, delegated }: Start, state: ClusterState): ClusterState {
  const edited =
    base === 'expired'
      ? editComments(state, (comment) => comment.replaceAll(/expires=\S+/g, 'expires=2020-01-01'))
      : base === 'old'
        ? editComments(state, oldClaims)
        : state;
  if (!delegated) return edited;
  const right = { path: '/pool/boris', type: 'user', subject: 'boris@pve', role: 'PVEPoolAdmin' } as const;
  return { ...edited, acl: [...edited.acl, { ...right, propagate: true }] };
}

const bases = new Map<string, Promise<World>>();

async function makeBase(start: Start): Promise<World> {
  const pristine = await run(scenarioOf(start.version), undefined, () => Promise.resolve());
  const world: World = { state: pristine.state, book: openBook(pristine.state), seen: new Map() };
  for (const one of HOW[start.base]) {
    const { findings } = await act(one, world);
    if (findings.length > 0) throw new Error(`without any move: ${findings.join('; ')}`);
  }
  world.state = editBase(start, world.state);
  world.book.prints = printsOf(world.state, world.book);
  return world;
}

export async function begin(start: Start): Promise<World> {
  const key = JSON.stringify(start);
  const made = bases.get(key) ?? makeBase(start);
  bases.set(key, made);
  const { state, book, seen } = await made;
  return { state, book: copyBook(book), seen: new Map(seen) };
}

export async function play(start: Start, acts: readonly Act[]): Promise<string[]> {
  const world = await begin(start);
  const findings: string[] = [];
  for (const one of acts) findings.push(...(await act(one, world)).findings);
  return findings;
}
