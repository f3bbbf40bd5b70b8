/** The marks of replicas, our copies of templates: the claims in their pool and the line in their notes. */
import { MARK, parseFields } from './fields.ts';
import { formatSealed, isSeal, parseSeals } from './seal.ts';

/** Pool whose comment claims the VMIDs of all replicas. */
export const REPLICA_POOL = 'deploy-stand-replicas';

const HEADER = `${MARK} replicas`;
const LINE = `${MARK} replica `;

/** One line of the pool's comment. */
export interface ReplicaClaim {
  /** VMID of the template that it is a copy of. */
  readonly source: number;
  /** Node that it is made for. */
  readonly node: string;
  readonly vmid: number;
  /**
   * `reserved`: what stands there is believed by its seal only. `made`: it was seen finished, and joined the pool.
   * `unstated`: of 0.1.0, which wrote no states.
   */
  readonly state: 'reserved' | 'made' | 'unstated';
  /** Of a reserved one, as in the claims of machines (marks/pool.ts). */
  readonly seals: readonly string[];
  /** Of a reserved one: its clone is made in the pool. */
  readonly joinsAtOnce?: true;
  /** ISO 8601 UTC. */
  readonly since: string;
}

/** `others` are lines that are not ours; they are kept as they are. */
export interface ReplicaPool {
  readonly claims: readonly ReplicaClaim[];
  readonly others: readonly string[];
}

const NO_POOL: ReplicaPool = { claims: [], others: [] };

const CLAIMED = /^(\d+)((?:\?(?:[0-9a-f]{24})?)*)$/;

function vmidOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{2,8}$/.test(text) ? Number(text) : undefined;
}

function parseClaim(line: string): ReplicaClaim | undefined {
  if (!line.startsWith('source=')) return undefined;
  const { source, node, vmid = '', since, state, clones } = parseFields(line);
  const [, digits, marks = ''] = CLAIMED.exec(vmid) ?? [];
  const ids = { source: vmidOf(source), vmid: vmidOf(digits) };
  if (ids.source === undefined || ids.vmid === undefined || !node || !since) return undefined;
  const seals = parseSeals(marks);
  return {
    ...{ source: ids.source, node, vmid: ids.vmid },
    state: seals.length > 0 ? 'reserved' : state === 'made' ? 'made' : 'unstated',
    ...{ seals, since },
    ...(seals.length > 0 && clones === 'pool' ? { joinsAtOnce: true } : {}),
  };
}

/** A pool of that name without our header is somebody else's: it claims nothing. */
export function parseReplicaPool(comment: string | undefined): ReplicaPool {
  const lines = (comment ?? '').split('\n').map((line) => line.trimEnd());
  if (!lines.includes(HEADER)) return NO_POOL;
  const claims: ReplicaClaim[] = [];
  const others: string[] = [];
  for (const line of lines) {
    if (line === '' || line === HEADER) continue;
    const claim = parseClaim(line);
    if (claim) claims.push(claim);
    else others.push(line);
  }
  return { claims, others };
}

export function isReplicaPool(comment: string): boolean {
  return comment.split('\n').some((line) => line.trimEnd() === HEADER);
}

export function formatReplicaPool({ claims, others }: ReplicaPool): string {
  return [
    ...others,
    HEADER,
    ...claims.map(({ source, vmid, node, since, state, seals, joinsAtOnce }) => {
      const id = state === 'reserved' ? formatSealed(vmid, seals) : vmid;
      const more =
        state === 'made' ? ' state=made' : state === 'reserved' && joinsAtOnce ? ' clones=pool' : '';
      return `source=${source} vmid=${id} node=${node} since=${since}${more}`;
    }),
  ].join('\n');
}

/** The comment with a hash in each place where one is still to be drawn. */
export function sealReplicaPool(comment: string, hashOf: (vmid: number) => string): string {
  const { claims, others } = parseReplicaPool(comment);
  const seal = (claim: ReplicaClaim): ReplicaClaim => ({
    ...claim,
    seals: claim.seals.map((hash) => (hash === '' ? hashOf(claim.vmid) : hash)),
  });
  return formatReplicaPool({ claims: claims.map(seal), others });
}

/** What a replica's notes say of it. */
export interface ReplicaMark {
  readonly source: number;
  /** Digest of the source's configuration when the copy was ordered. */
  readonly digest: string;
  readonly vmid: number;
  /** Proof that it is the copy which its claim was written for (marks/seal.ts). */
  readonly seal?: string;
}

export function formatReplicaMark({ source, digest, vmid, seal }: ReplicaMark): string {
  return `${LINE}source=${source} digest=${digest} vmid=${vmid}${seal === undefined ? '' : ` seal=${seal}`}`;
}

export function parseReplicaMark(description: string): ReplicaMark | undefined {
  const line = description.split('\n').find((text) => text.startsWith(LINE));
  if (line === undefined) return undefined;
  const { source, digest, vmid, seal } = parseFields(line);
  const ids = { source: vmidOf(source), vmid: vmidOf(vmid) };
  if (ids.source === undefined || ids.vmid === undefined || !digest) return undefined;
  const sealed = seal !== undefined && isSeal(seal) ? { seal } : {};
  return { source: ids.source, digest, vmid: ids.vmid, ...sealed };
}

/** The notes that a copy is made with, with its seal. */
export function withReplicaSeal(description: string, seal: string): string {
  const mark = parseReplicaMark(description);
  return mark ? formatReplicaMark({ ...mark, seal }) : description;
}
