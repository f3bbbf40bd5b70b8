/** The mark of a user's pool: our header in its comment, and a line per lab, the claim. Judges no VM. */
import { MARK, parseFields } from './fields.ts';
import { formatSealed, parseSeals } from './seal.ts';
import { formatTaken, parseTaken, type TakenRight } from './taken.ts';
import { formatVmids, parseVmids } from './vmid-ranges.ts';

/** The address of a card, which a machine that is made anew keeps. */
export interface KeptMac {
  readonly index: number;
  /** Upper case, colon separated. */
  readonly mac: string;
}

/** One machine of a stand, as the claim names it. */
export interface ClaimedMachine {
  readonly machine: string;
  readonly vmid: number;
  /**
   * `reserved`: what stands there is believed by its seal only. `made`: it was seen finished, and joined the pool.
   */
  readonly state: 'reserved' | 'made';
  /**
   * Of a reserved one: hashes of the seals that its clone may carry, the youngest first (the clone of a killed run may
   * come late). Empty text: drawn when the claim is written.
   */
  readonly seals: readonly string[];
  /** Of a reserved one that is made anew, and of no other: what its cards had, and get again. */
  readonly macs?: readonly KeptMac[];
}

/** One lab's line in a pool comment: the claim. */
export interface Claim {
  readonly lab: string;
  /** In the order of their VMIDs. */
  readonly machines: readonly ClaimedMachine[];
  /** Ids that 0.1.0 claimed: it wrote neither names nor states. Ascending. */
  readonly unnamed: readonly number[];
  /** All ids, ascending. */
  readonly vmids: readonly number[];
  /** ISO 8601 UTC. */
  readonly since: string;
  readonly expires?: string;
  /** Node the stand was placed on; tells only while none of its objects exists. */
  readonly node?: string;
  /** ISO 8601 UTC: since when the students' access is taken away. */
  readonly frozen?: string;
  /** Its reserved ones are members from the start of their clone on: whoever wrote it may make VMs in pools only. */
  readonly joinsAtOnce?: true;
}

/** A pool comment, taken apart. `others` are lines that are not ours; they are kept as they are. */
export interface PoolMark {
  /** Undefined: no header, the pool is not ours. */
  readonly user?: string;
  /** The pool existed before us: it is never deleted. */
  readonly adopted: boolean;
  /** Roles on the pool that the user had before we adopted it: never taken away. */
  readonly roles?: readonly string[];
  /** Wanted without a stand, too: no orphan. */
  readonly kept?: boolean;
  /** What a freeze took from the user, for the thaw; kept as long as a claim is frozen. */
  readonly taken?: readonly TakenRight[];
  readonly claims: readonly Claim[];
  readonly others: readonly string[];
}

/** Ids of one pool that are looked at: a comment can be written by hand, or by a stranger. */
const MOST_IDS = 5000;

const ENTRY =
  /^([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):([1-9]\d{0,8})((?:\?(?:[0-9a-f]{24})?)*)(@|(?:@\d{1,2}=[0-9A-F]{12})*)$/;
const RUN =
  /^([A-Za-z0-9][A-Za-z0-9.-]*)\{(0|[1-9]\d{0,5})\.\.(0|[1-9]\d{0,5})\}:([1-9]\d{0,8})-([1-9]\d{0,8})$/;

function parseRun(word: string): ClaimedMachine[] {
  const [, stem = '', from, to, first, last] = RUN.exec(word) ?? [];
  const count = Number(to) - Number(from) + 1;
  if (!(count > 0 && count <= MOST_IDS && Number(last) - Number(first) + 1 === count)) return [];
  return Array.from({ length: count }, (_, at) => ({
    machine: `${stem}${Number(from) + at}`,
    vmid: Number(first) + at,
    state: 'made',
    seals: [],
  }));
}

function parseMachine(word: string): ClaimedMachine[] {
  const [, machine, vmid, marks, cards = ''] = ENTRY.exec(word) ?? [];
  if (machine === undefined || marks === undefined) return parseRun(word);
  if (marks === '') return [{ machine, vmid: Number(vmid), state: 'made', seals: [] }];
  const seals = parseSeals(marks);
  const macs = cards === '' ? {} : { macs: parseMacs(cards) };
  return [{ machine, vmid: Number(vmid), state: 'reserved', seals, ...macs }];
}

/** `@0=BC2411000001@1=BC2411000002`. */
function parseMacs(text: string): KeptMac[] {
  return text
    .split('@')
    .slice(1)
    .filter((word) => word !== '')
    .map((word) => {
      const [index, digits = ''] = word.split('=');
      return { index: Number(index), mac: (digits.match(/../g) ?? []).join(':') };
    });
}

/** `@` alone: it is made anew, and had no cards. */
function formatMacs(macs: readonly KeptMac[] | undefined): string {
  if (macs?.length === 0) return '@';
  return (macs ?? []).map(({ index, mac }) => `@${index}=${mac.replaceAll(':', '')}`).join('');
}

/** Words that are no machines are left out; of two with one name or id the first counts. */
function parseMachines(text: string, most: number): ClaimedMachine[] {
  const machines = new Map<number, ClaimedMachine>();
  const names = new Set<string>();
  for (const word of text.split(',')) {
    for (const one of parseMachine(word)) {
      if (machines.size >= most) return [...machines.values()];
      if (machines.has(one.vmid) || names.has(one.machine)) continue;
      machines.set(one.vmid, one);
      names.add(one.machine);
    }
  }
  return [...machines.values()];
}

/** Derives what follows from the rest, and brings it into order. */
export function makeClaim({ machines, unnamed, joinsAtOnce, ...rest }: Omit<Claim, 'vmids'>): Claim {
  const named = new Set(machines.map(({ vmid }) => vmid));
  const others = [...new Set(unnamed)].filter((vmid) => !named.has(vmid)).sort((a, b) => a - b);
  return {
    ...rest,
    ...(joinsAtOnce && machines.some(({ state }) => state === 'reserved') ? { joinsAtOnce } : {}),
    machines: [...machines].sort((a, b) => a.vmid - b.vmid),
    unnamed: others,
    vmids: [...named, ...others].sort((a, b) => a - b),
  };
}

/** `most`: how many ids are looked at. */
function parseClaim(line: string, most: number): Claim | undefined {
  if (!line.startsWith('lab=')) return undefined;
  const { lab, vms, vmids, since, expires, node, frozen, clones } = parseFields(line);
  if (!lab || (vms === undefined && vmids === undefined) || !since) return undefined;
  const machines = parseMachines(vms ?? '', most);
  return makeClaim({
    lab,
    machines,
    unnamed: parseVmids(vmids ?? '', most - machines.length),
    since,
    ...(expires ? { expires } : {}),
    ...(node ? { node } : {}),
    ...(frozen ? { frozen } : {}),
    ...(clones === 'pool' ? { joinsAtOnce: true } : {}),
  });
}

/** Does the comment say that the pool is ours? It proves so only where nobody else may write it. */
export function isPoolMarked(comment: string): boolean {
  return parsePoolComment(comment).user !== undefined;
}

export function parsePoolComment(comment: string): PoolMark {
  const lines = comment.split('\n').map((line) => line.trimEnd());
  const header = lines.find((line) => line.startsWith(`${MARK} user=`));
  if (header === undefined)
    return { adopted: false, claims: [], others: lines.filter((line) => line !== '') };
  const { user, roles, taken } = parseFields(header);
  const words = header.split(/\s+/);
  const claims: Claim[] = [];
  const others: string[] = [];
  let left = MOST_IDS;
  for (const line of lines) {
    if (line === '' || line === header) continue;
    const claim = parseClaim(line, left);
    if (claim) {
      claims.push(claim);
      left -= claim.vmids.length;
    } else others.push(line);
  }
  return {
    ...(user ? { user } : {}),
    adopted: words.includes('adopted'),
    ...(roles ? { roles: roles.split(',') } : {}),
    ...(words.includes('kept') ? { kept: true } : {}),
    ...(taken ? { taken: parseTaken(taken) } : {}),
    claims,
    others,
  };
}

/** `pc12` is `pc` and 12; a number with a leading zero is part of the name. */
function numberOf(machine: string): { readonly stem: string; readonly number: number } | undefined {
  const [, stem, digits] = /^(.*?[A-Za-z.-]|)(0|[1-9]\d{0,5})$/.exec(machine) ?? [];
  return stem ? { stem, number: Number(digits) } : undefined;
}

/** How many machines from `at` on form a run of made ones: `pc{1..3}:10202-10204`. */
function runLength(machines: readonly ClaimedMachine[], at: number): number {
  const first = machines[at];
  const start = first && numberOf(first.machine);
  if (!first || !start || first.state !== 'made') return 1;
  let length = 1;
  for (;;) {
    const next = machines[at + length];
    const number = next && numberOf(next.machine);
    const goesOn =
      next?.state === 'made' &&
      next.vmid === first.vmid + length &&
      number?.stem === start.stem &&
      number.number === start.number + length;
    if (!goesOn) return length;
    length += 1;
  }
}

const SHORTEST_RUN = 3;

function formatMachines(machines: readonly ClaimedMachine[]): string {
  const words: string[] = [];
  for (let at = 0; at < machines.length;) {
    const one = machines[at] as ClaimedMachine; // `at` is in range
    const length = runLength(machines, at);
    const start = numberOf(one.machine);
    if (start && length >= SHORTEST_RUN) {
      const numbers = `${start.number}..${start.number + length - 1}`;
      words.push(`${start.stem}{${numbers}}:${one.vmid}-${one.vmid + length - 1}`);
      at += length;
    } else {
      const id =
        one.state === 'made' ? one.vmid : `${formatSealed(one.vmid, one.seals)}${formatMacs(one.macs)}`;
      words.push(`${one.machine}:${id}`);
      at += 1;
    }
  }
  return words.join(',');
}

function formatClaim(claim: Claim): string {
  const isOld = claim.machines.length === 0 && claim.unnamed.length > 0;
  return [
    `lab=${claim.lab}`,
    ...(isOld ? [] : [`vms=${formatMachines(claim.machines)}`]),
    ...(claim.unnamed.length === 0 ? [] : [`vmids=${formatVmids(claim.unnamed)}`]),
    ...(claim.node === undefined ? [] : [`node=${claim.node}`]),
    `since=${claim.since}`,
    ...(claim.expires === undefined ? [] : [`expires=${claim.expires}`]),
    ...(claim.frozen === undefined ? [] : [`frozen=${claim.frozen}`]),
    ...(claim.joinsAtOnce ? ['clones=pool'] : []),
  ].join(' ');
}

/** Since when the pool's user has no access, whichever of its labs was frozen: a pool is opened and closed as a whole. */
export function frozenSince(mark: Pick<PoolMark, 'claims'> | undefined): string | undefined {
  const times = (mark?.claims ?? []).flatMap(({ frozen }) => frozen ?? []);
  return times.reduce<string | undefined>(
    (first, time) => (first === undefined || time < first ? time : first),
    undefined,
  );
}

/** The labs by which it is; empty: it is open. */
export function frozenLabs(mark: Pick<PoolMark, 'claims'> | undefined): string[] {
  return (mark?.claims ?? []).flatMap(({ lab, frozen }) => (frozen === undefined ? [] : [lab]));
}

/** On the pool, since before it became ours: nobody takes that role away. */
export function hadBefore(mark: Pick<PoolMark, 'roles'> | undefined, role: string): boolean {
  return mark?.roles?.includes(role) === true;
}

/** Foreign lines first, then our header, then the claims in the order given. */
export function formatPoolComment(mark: PoolMark & { readonly user: string }): string {
  const { roles = [], kept = false } = mark;
  const taken = frozenSince(mark) === undefined ? [] : (mark.taken ?? []);
  const header = [
    `${MARK} user=${mark.user}`,
    ...(mark.adopted ? ['adopted'] : []),
    ...(roles.length === 0 ? [] : [`roles=${roles.join(',')}`]),
    ...(kept ? ['kept'] : []),
    ...(taken.length === 0 ? [] : [`taken=${formatTaken(taken)}`]),
  ].join(' ');
  return [...mark.others, header, ...mark.claims.map(formatClaim)].join('\n');
}

/** VMIDs that any of these pools claims, for whatever lab. */
export function vmidsClaimedBy(pools: readonly { readonly comment: string }[]): number[] {
  return pools.flatMap(({ comment }) => parsePoolComment(comment).claims.flatMap(({ vmids }) => vmids));
}

/** Its machines changed one by one; `undefined` takes one out. */
export function mapMachines(
  claim: Claim,
  change: (one: ClaimedMachine) => ClaimedMachine | undefined,
): Claim {
  return makeClaim({ ...claim, machines: claim.machines.flatMap((one) => change(one) ?? []) });
}

/** The comment with a hash in each place where one is still to be drawn. */
export function sealComment(comment: string, hashOf: (vmid: number) => string): string {
  const mark = parsePoolComment(comment);
  if (mark.user === undefined) return comment;
  const seal = (one: ClaimedMachine): ClaimedMachine => ({
    ...one,
    seals: one.seals.map((hash) => (hash === '' ? hashOf(one.vmid) : hash)),
  });
  const claims = mark.claims.map((claim) => mapMachines(claim, seal));
  return formatPoolComment({ ...mark, user: mark.user, claims });
}
