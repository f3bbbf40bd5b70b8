/** Plays commands while others make their moves at chosen writes of theirs, and tells what was done to whose objects. */
import { InternalError, StandError } from '../../src/lib/errors.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import type { Version } from '../../src/lib/simulator/version.ts';
import { run, type CommandWrite, type RunningCluster } from '../workflow/in-process.ts';
import { COMMANDS, scenarioOf, type Command, type CommandName } from './class.ts';
import {
  copyBook,
  findHarm,
  findLeft,
  judgeWrite,
  noteWrite,
  openBook,
  printsOf,
  type Book,
  type Finding,
} from './ledger.ts';
import { MOVES, Stage, type Move, type MoveName } from './moves.ts';

/** A move, and the write of the command before which it is made; 0: before the command begins. */
interface Turn {
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
  /** Somebody who may write a pool, and somebody who may not, read all machines. */
  readonly watched: boolean;
}

/** `killed`: in the middle of the first deploy. `old`: with the claims that 0.1.0 wrote. */
type Base = 'empty' | 'made' | 'larger' | 'killed early' | 'killed' | 'killed late' | 'expired' | 'old';

/**
 * What was made between a command's last look and its write, no command can know of: PVE removes and stops without any
 * condition. Before the lesser writes it looks at what it read up to five seconds ago.
 */
const ROUND_TRIP = 500;
const SHARED_READING = 6000;

function blindness({ path }: CommandWrite): number {
  return /\/status\/start$|\/snapshot$|^\/access\/acl$/.test(path) ? SHARED_READING : ROUND_TRIP;
}

interface World {
  state: ClusterState;
  readonly book: Book;
  readonly seen: Map<number, string>;
}

export interface Told {
  readonly findings: readonly string[];
  /** Requests of the command that PVE carried out. */
  readonly writes: number;
  /** Moves of which PVE allowed something. */
  readonly allowed: readonly MoveName[];
  readonly error?: unknown;
}

function isPossible({ versions }: Move, version: Version): boolean {
  return versions?.includes(version) ?? true;
}

/** Did PVE allow anything of it? */
async function makeMove({ move, draws }: Turn, world: World, cluster: RunningCluster): Promise<boolean> {
  const { simulator, time } = cluster;
  if (!isPossible(MOVES[move], simulator.version)) return false;
  const stage = new Stage({ simulator, time, book: world.book, seen: world.seen, draws });
  try {
    await MOVES[move].make(stage);
  } catch (error) {
    // Nobody of that name yet: the login is refused.
    if (!(error instanceof Error) || !error.message.startsWith('login: ')) throw error;
  }
  return stage.accepted > 0;
}

function isDelegated({ acl }: ClusterState): boolean {
  return acl.some(({ path, role }) => path === '/pool/boris' && role === 'PVEPoolAdmin');
}

async function act({ command: name, turns, killAt }: Act, world: World): Promise<Told> {
  const { book, state } = world;
  const command: Command = COMMANDS[name];
  const found: Finding[] = [];
  const judged = new Map<number, Finding[]>();
  const excused = new Set<string>();
  const allowed: MoveName[] = [];
  let writes = 0;
  let begun = 0;
  let isDead = false;
  const isBelieved = !isDelegated(state);
  let moving: Promise<void> = Promise.resolve();
  const moveAt = async (at: number, cluster: RunningCluster): Promise<void> => {
    for (const turn of isDead ? [] : turns.filter((one) => one.at === at)) {
      moving = moving.then(() => move(turn, cluster));
      await moving;
    }
  };
  const move = async (turn: Turn, cluster: RunningCluster): Promise<void> => {
    found.push(...findHarm(cluster.simulator.snapshot(), book, command));
    if (await makeMove(turn, world, cluster)) allowed.push(turn.move);
    book.prints = printsOf(cluster.simulator.snapshot(), book);
  };
  const ended = await run(scenarioOf(state.version), state, command.run, {
    witness: {
      begin: async (cluster) => {
        await moveAt(0, cluster);
        begun = cluster.time.now();
      },
      before: async (write, cluster) => {
        await moveAt(write.n, cluster);
        const { simulator, time } = cluster;
        const findings = judgeWrite(write, { book, command, state: () => simulator.snapshot() });
        const isYoung = ({ guest }: Finding) =>
          (guest?.madeAt ?? 0) > begun && time.now() - (guest?.madeAt ?? 0) <= blindness(write);
        judged.set(
          write.n,
          findings.filter((one) => !isYoung(one)),
        );
        for (const { vmid } of findings.filter(isYoung)) excused.add(`not as it was left: guest ${vmid}`);
        const { users, path, roles } = write.params;
        if (findings.some(isYoung))
          excused.add(`not as it was left: right of user ${users} on ${path}: ${roles}`);
      },
      after: async (write: CommandWrite, status) => {
        if (status === 200) {
          writes += 1;
          found.push(...(judged.get(write.n) ?? []));
          noteWrite(write, book);
        }
        if (write.n !== killAt) return undefined;
        isDead = true;
        // What others have begun they finish.
        await moving;
        return 'die';
      },
    },
  });
  world.state = ended.state;
  found.push(...findHarm(ended.state, book, command));
  // What stands in a pool that somebody else may write is not taken for ours any more.
  if (command.removes && ended.value && isBelieved)
    found.push(...findLeft(ended.state, book, ended.value.summary, command));
  const { error } = ended;
  const isExplained =
    error === undefined || (error instanceof StandError && !(error instanceof InternalError));
  if (!isExplained) throw new Error(`${name} has a defect`, { cause: error });
  return {
    findings: found
      .filter(({ guest, text }) => guest?.made !== false && !excused.has(text))
      .map(({ text }) => `${name}: ${text}`),
    writes,
    allowed,
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
  const pristine = await run(scenarioOf(start.version, start.watched), undefined, () => Promise.resolve());
  const world: World = { state: pristine.state, book: openBook(pristine.state), seen: new Map() };
  for (const one of HOW[start.base]) {
    const { findings } = await act(one, world);
    if (findings.length > 0) throw new Error(`without any move: ${findings.join('; ')}`);
  }
  world.state = editBase(start, world.state);
  world.book.prints = printsOf(world.state, world.book);
  return world;
}

async function begin(start: Start): Promise<World> {
  const key = JSON.stringify(start);
  const made = bases.get(key) ?? makeBase(start);
  bases.set(key, made);
  const { state, book, seen } = await made;
  return { state, book: copyBook(book), seen: new Map(seen) };
}

export async function play(start: Start, acts: readonly Act[]): Promise<Told[]> {
  const world = await begin(start);
  const told: Told[] = [];
  for (const one of acts) told.push(await act(one, world));
  return told;
}
