/**
 * The one verdict (plan/stands/ownership.ts) for handlers, right before they write: from the claims and members as they are
 * now, read once for all steps of a moment. A pool that somebody else may write by now (inventory/delegated.ts) ends what
 * was planned of it. Decides nothing itself, and writes nothing.
 */
import type { Clock } from '../clock.ts';
import { sealHash } from '../marks/seal.ts';
import {
  isOfPoolUser,
  isWritable,
  verdictOn,
  type ClaimedId,
  type Verdict,
} from '../plan/stands/ownership.ts';
import { poolRightOf, poolRightRefusal } from '../plan/stands/protected-accounts.ts';
import type { ConfigValues, ResourceRow } from '../proxmox/types.ts';
import { listedKind, USUAL_KIND, type GuestAt } from '../pve-values/guest-kinds.ts';
import {
  claimedId,
  evidenceReading,
  type OwnershipReads,
  type Reading,
  type Users,
} from './ownership-reading.ts';
import { finishedMeanwhile, notBelieved, notOurs } from './ownership-text.ts';
import { StepError } from './step-error.ts';

/** A reading older than this is no evidence for a write. */
const FRESH_MS = 5000;
/** How long a question that only a later list answers waits for others of its kind. */
const GATHER_MS = 500;

/** Pools that are asked for at once; of more all are read together. */
const ASKED_ALONE = 3;

interface PoolNow {
  readonly comment: string;
  readonly vmids: readonly number[];
}

interface AskedPool {
  /** When its reading began. */
  readonly at: number;
  readonly answer: ReturnType<OwnershipReads['pool']>;
  isUnderWay: boolean;
}

/** The VM that a step is about, and the pool by whose claim the planner took it for ours. */
export interface Claimed {
  readonly vmid: number;
  readonly pool: string;
  /** Of the older tool, which claimed nothing: membership alone is asked, as `--adopt` says. */
  readonly adopted?: true;
  /** Of the pool's own user, who made it there: asked is whether it still is. */
  readonly member?: true;
  /** An orphan, for which nobody has finished it: once it has joined its pool it is none. */
  readonly halfMade?: true;
}

/** A clone that this run makes. */
interface SealedClone extends Pick<Claimed, 'vmid' | 'pool'> {
  readonly seal: string;
  /** Is it made in that pool? */
  readonly joinsAtOnce?: true | undefined;
}

/** Of an answer about a pool: how old it may be, and whether one that somebody has begun to ask for before will do. */
interface Asking {
  readonly ageMs?: number;
  readonly mayShare?: boolean;
}

/** VMIDs that a write put into its pool, and those that it took out. */
interface Moved {
  readonly members?: readonly number[];
  readonly left?: readonly number[];
}

export class Ownership {
  readonly #pve: OwnershipReads;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #reading: Promise<Reading> | undefined;
  #users: { readonly at: number; readonly list: Promise<Users> } | undefined;
  /** Pools as they were read alone, or are being read. */
  readonly #asked = new Map<string, AskedPool>();
  /** Of the list of pools that is the next to begin. */
  #comments: Promise<ReadonlyMap<string, string>> | undefined;
  /** Configurations whose seal fitted, as evidence for as long as a reading: another VM may stand there a minute later. */
  readonly #sealed = new Map<number, { readonly at: number; readonly values: ConfigValues }>();

  constructor(pve: OwnershipReads, clock: Clock, signal: AbortSignal) {
    this.#pve = pve;
    this.#clock = clock;
    this.#signal = signal;
    if (!pve.kept) return;
    const { at, pools, rows } = pve.kept;
    this.#reading = Promise.resolve(evidenceReading(at, pools, rows));
    this.#users = { at, list: Promise.resolve(pools.users) };
  }

  /** `values`: its configuration, where the caller has just read it. */
  async verdict(of: Claimed, values?: ConfigValues): Promise<Verdict> {
    const asked = this.#clock.now();
    const reading = await this.#read(asked - FRESH_MS);
    const first = await this.#judge(of, reading, values);
    // A reading of a moment ago may not know yet what this run has made since.
    if (isWritable(first) || reading.at >= asked) return first;
    return this.#judge(of, await this.#read(asked), values);
  }

  /** Whether nothing of ours is there: looked at anew where it seems so, since this run may have removed it a moment ago. */
  async isUnused(of: Claimed): Promise<boolean> {
    const asked = this.#clock.now();
    const reading = await this.#read(asked - FRESH_MS);
    if (await this.#isUnusedIn(reading, of)) return true;
    return reading.at < asked && (await this.#isUnusedIn(await this.#read(asked), of));
  }

  /** Throws StepError NOT_OURS where it may not be written to. */
  async assertOurs(of: Claimed, values?: ConfigValues): Promise<void> {
    const verdict = await this.verdict(of, values);
    if (!isWritable(verdict)) throw notOurs(of, verdict);
  }

  /**
   * Does a claim of the pool speak of the clone that carries this seal? One of another run may name its number by now. `ageMs`:
   * of the oldest reading that may say yes; no is said by the pool as it is now.
   */
  async isClaimed({ vmid, pool, seal }: SealedClone, ageMs = FRESH_MS): Promise<boolean> {
    const hash = sealHash(seal, vmid);
    const speaksOfIt = (comment = ''): boolean => {
      const id = claimedId(comment, vmid);
      if (id?.state !== 'reserved') return id !== undefined;
      // Without any hash it does not say of which.
      return id.seals.every((one) => one === '') || id.seals.includes(hash);
    };
    const { comments } = await this.#read(this.#clock.now() - ageMs);
    return speaksOfIt(comments.get(pool)) || speaksOfIt((await this.poolNow(pool))?.comment);
  }

  /**
   * Where a clone of this run is whose claim is gone. In place of the claim stands what this run wrote into it: the seal that
   * it drew. Undefined: it is claimed, or what is there is not that clone.
   */
  async abandoned(clone: SealedClone): Promise<GuestAt | undefined> {
    const { vmid, pool, seal, joinsAtOnce } = clone;
    const reading = await this.#read(this.#clock.now());
    const place = placeOf(vmid, reading.guests.get(vmid));
    if (!place || reading.delegated.has(pool)) return undefined;
    if (await this.isClaimed(clone)) return undefined;
    const id: ClaimedId = {
      ...{ vmid, state: 'reserved', seals: [sealHash(seal, vmid)] },
      ...(joinsAtOnce ? { joinsAtOnce } : {}),
    };
    const values = await this.#pve.guestConfig(place, this.#signal);
    const verdict = values && (await this.#judgeClaimed(id, pool, reading, values));
    return verdict === 'unjoined' ? place : undefined;
  }

  /** What is left of a VM elsewhere (a right, an entry of HA) may go when it is gone itself. */
  async assertOursOrGone(of: Claimed): Promise<void> {
    const verdict = await this.verdict(of);
    if (!NOTHING_THERE.has(verdict)) await this.#assertNow(of, verdict);
  }

  /**
   * For what reaches into a VM or ends it. In the seconds since the shared reading its student may have removed it, and
   * somebody else may have got the number: of a member its pool is asked, as it is now, or was `ageMs` ago. A seal needs no more
   * proof. Answers the pool that was asked.
   */
  async assertOursNow(of: Claimed, values?: ConfigValues, ageMs = 0): Promise<PoolNow | undefined> {
    return this.#assertNow(of, await this.verdict(of, values), { ageMs });
  }

  /** The same for what has just been written: an answer that somebody else had begun to ask for before is none. */
  async assertOursLater(of: Claimed): Promise<PoolNow | undefined> {
    return this.#assertNow(of, await this.verdict(of), { mayShare: false });
  }

  /**
   * Do the lists tell enough? Of a member that is where it should be and under no lock nothing has to be read. False: its
   * configuration has to be.
   */
  async isListedOurs(of: Claimed & { readonly node: string }): Promise<boolean> {
    const { guests } = await this.#read(this.#clock.now() - FRESH_MS);
    const row = guests.get(of.vmid);
    if (row?.pool !== of.pool || row.node !== of.node || row.lock !== undefined) return false;
    return (await this.verdict(of)) === 'ours';
  }

  async #assertNow(of: Claimed, verdict: Verdict, asking: Asking = {}): Promise<PoolNow | undefined> {
    if (!isWritable(verdict)) throw notOurs(of, verdict);
    if (verdict === 'unjoined' && !of.halfMade) return undefined;
    const pool = await this.#poolAsItIs(of.pool, asking);
    if (of.halfMade && claimedId(pool?.comment ?? '', of.vmid)?.state === 'made') throw finishedMeanwhile(of);
    if (verdict === 'unjoined') return pool;
    // Whether somebody else may write it is as old as a reading, 5 s at most: its members are what may change at once,
    // and a comment that was written meanwhile can only say less than what was planned.
    const isClaimed = claimedId(pool?.comment ?? '', of.vmid) !== undefined;
    const isKnown = of.adopted === true || of.member === true || isClaimed;
    if (!isKnown || !pool?.vmids.includes(of.vmid)) throw notOurs(of, 'foreign');
    return pool;
  }

  /**
   * A pool's comment and members as the lists say that all share who ask within 5 s, of a reading begun at `earliest` or
   * later, and what this run has written since. Undefined: they show no such pool, or one that is not believed.
   */
  async pool(pool: string, earliest = 0): Promise<PoolNow | undefined> {
    const { comments, delegated, guests } = await this.#read(
      Math.max(earliest, this.#clock.now() - FRESH_MS),
    );
    const comment = comments.get(pool);
    if (comment === undefined || delegated.has(pool)) return undefined;
    return { comment, vmids: [...guests].flatMap(([vmid, row]) => (row.pool === pool ? [vmid] : [])) };
  }

  /** As it is now. A few pools are asked alone; where those of a class are asked at once, the lists tell as much together. */
  async #poolAsItIs(pool: string, { ageMs = 0, mayShare = true }: Asking): Promise<PoolNow | undefined> {
    const now = this.#clock.now();
    const asked = mayShare ? this.#asked.get(pool) : undefined;
    if (asked && asked.at > now - ageMs) return asked.answer;
    const underWay = [...this.#asked.values()].filter(({ isUnderWay }) => isUnderWay).length;
    if (asked?.isUnderWay) return asked.answer;
    if (underWay < ASKED_ALONE) return this.poolLater(pool);
    return (await this.pool(pool, now)) ?? this.poolLater(pool);
  }

  /** As the list says that all share who ask within 5 s; undefined: it does not name such a user. */
  async user(userid: string): Promise<Users[number] | undefined> {
    const now = this.#clock.now();
    if (!this.#users || this.#users.at < now - FRESH_MS) {
      const reading = { at: now, list: this.#pve.users(this.#signal) };
      this.#users = reading;
      reading.list.catch(() => {
        if (this.#users === reading) this.#users = undefined;
      });
    }
    return (await this.#users.list).find((one) => one.userid === userid);
  }

  /** A user who makes a pool not count stays: with the user that would end, and what stands there be believed. */
  async assertRemovable(userid: string): Promise<void> {
    const { writers } = await this.#read(this.#clock.now() - FRESH_MS);
    const user = await this.user(userid);
    const right = user && poolRightOf(user, writers.poolWriters);
    if (!right) return;
    const { code, message, hint } = poolRightRefusal(userid, right);
    throw new StepError(code, message, { hint });
  }

  /** This run wrote the comment of a pool, and made members, or took some out. */
  wrote(pool: string, comment: string, { members = [], left = [] }: Moved = {}): void {
    this.#asked.delete(pool);
    void this.#reading?.then(
      ({ comments, guests }) => {
        comments.set(pool, comment);
        const move = (vmid: number, into: string | undefined): void => {
          const row = guests.get(vmid) ?? { id: '', type: USUAL_KIND, vmid };
          guests.set(vmid, { ...row, pool: into });
        };
        for (const vmid of members) move(vmid, pool);
        for (const vmid of left) move(vmid, undefined);
      },
      () => undefined,
    );
  }

  /** One that was begun at that moment or later; those who ask at once share it. */
  async #read(earliest: number): Promise<Reading> {
    const current = this.#reading;
    const known = await current?.catch(() => undefined);
    if (known && known.at >= earliest) return known;
    if (!this.#reading || this.#reading === current) this.#reading = this.#readNow();
    return this.#reading;
  }

  async #readNow(): Promise<Reading> {
    const at = this.#clock.now();
    const [pools, rows] = await Promise.all([
      this.#pve.pools(this.#signal),
      this.#pve.resources(this.#signal),
    ]);
    return evidenceReading(at, pools, rows);
  }

  /** As it is, read alone; those who ask while it is being read share the answer. */
  poolNow(pool: string): ReturnType<OwnershipReads['pool']> {
    const known = this.#asked.get(pool);
    return known?.isUnderWay ? known.answer : this.poolLater(pool);
  }

  /** The same, begun after this was asked. */
  poolLater(pool: string): ReturnType<OwnershipReads['pool']> {
    const asked: AskedPool = {
      at: this.#clock.now(),
      answer: this.#pve.pool(pool, this.#signal).finally(() => (asked.isUnderWay = false)),
      isUnderWay: true,
    };
    this.#asked.set(pool, asked);
    asked.answer.catch(() => {
      if (this.#asked.get(pool) === asked) this.#asked.delete(pool);
    });
    return asked.answer;
  }

  /**
   * Its comment in a list of all pools that was begun after this was asked: all who ask before it begins share it. What the
   * list does not show (PVE/API2/Pool.pm asks Pool.Audit for it) is read alone. Undefined: there is no such pool.
   */
  async commentLater(pool: string): Promise<string | undefined> {
    this.#comments ??= this.#clock.sleep(GATHER_MS, this.#signal).then(async () => {
      this.#comments = undefined;
      const pools = await this.#pve.comments(this.#signal);
      return new Map(pools.map((one) => [one.pool, one.comment]));
    });
    const listed = (await this.#comments).get(pool);
    return listed ?? (await this.poolLater(pool))?.comment;
  }

  async #isUnusedIn(reading: Reading, of: Claimed): Promise<boolean> {
    const verdict = await this.#judge(of, reading);
    return UNUSED.has(verdict) || isOfPoolUser(of.pool, reading.guests.get(of.vmid) ?? {}, verdict);
  }

  async #judge(of: Claimed, reading: Reading, read?: ConfigValues): Promise<Verdict> {
    const { vmid, pool, adopted, member } = of;
    const delegated = reading.delegated.get(pool);
    if (delegated !== undefined) throw notBelieved(pool, delegated);
    const row = reading.guests.get(vmid);
    const isGone = row === undefined && read === undefined;
    if (adopted) return row?.pool === pool ? 'ours' : isGone ? 'missing' : 'foreign';
    const id = claimedId(reading.comments.get(pool) ?? '', vmid);
    const verdict = id && (await this.#judgeClaimed(id, pool, reading, read));
    if (of.halfMade && id?.state === 'made' && verdict === 'ours') throw finishedMeanwhile(of);
    if (!member) return verdict ?? 'foreign';
    return isOfPoolUser(pool, row ?? {}, verdict) ? 'ours' : isGone ? 'missing' : 'foreign';
  }

  async #judgeClaimed(
    id: ClaimedId,
    pool: string,
    { guests, offline }: Reading,
    read: ConfigValues | undefined,
  ): Promise<Verdict> {
    const { vmid } = id;
    const row = guests.get(vmid);
    const isAway = row?.node !== undefined && offline.has(row.node);
    const values = read ?? (id.state === 'reserved' && !isAway ? await this.#configOf(vmid, row) : undefined);
    // What is not in the list, and was read all the same, was made a moment ago.
    const isThere = row !== undefined || values !== undefined;
    const verdict = verdictOn({
      id,
      pool,
      guest: isThere
        ? {
            type: listedKind(row?.type),
            pool: row?.pool,
            lock: values ? undefined : row?.lock,
          }
        : undefined,
      isAway,
      values,
      // Whether the ids that 0.1.0 claimed were handed out was the planner's question.
      isHandedOut: true,
    });
    if (verdict === 'unjoined' && values && this.#sealed.get(vmid)?.values !== values)
      this.#sealed.set(vmid, { at: this.#clock.now(), values });
    return verdict;
  }

  async #configOf(vmid: number, row: Listed | undefined): Promise<ConfigValues | undefined> {
    const place = placeOf(vmid, row);
    if (!place) return undefined;
    const known = this.#sealed.get(vmid);
    if (known && known.at >= this.#clock.now() - FRESH_MS) return known.values;
    return this.#pve.guestConfig(place, this.#signal);
  }
}

type Listed = Pick<ResourceRow, 'node' | 'type'>;

function placeOf(vmid: number, row: Listed | undefined): GuestAt | undefined {
  return row?.node === undefined ? undefined : { node: row.node, vmid, type: listedKind(row.type) };
}

const NOTHING_THERE: ReadonlySet<Verdict> = new Set(['missing', 'open']);
const UNUSED: ReadonlySet<Verdict> = new Set([...NOTHING_THERE, 'foreign']);
