/** The marks of replicas, our copies of templates: the claims in their pool and the line in their notes. */
import { MARK, parseFields } from './fields.ts';

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
  /** ISO 8601 UTC. */
  readonly since: string;
}

/** `others` are lines that are not ours; they are kept as they are. */
export interface ReplicaPool {
  readonly claims: readonly ReplicaClaim[];
  readonly others: readonly string[];
}

const NO_POOL: ReplicaPool = { claims: [], others: [] };

function vmidOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{2,8}$/.test(text) ? Number(text) : undefined;
}

function parseClaim(line: string): ReplicaClaim | undefined {
  if (!line.startsWith('source=')) return undefined;
  const { source, node, vmid, since } = parseFields(line);
  const ids = { source: vmidOf(source), vmid: vmidOf(vmid) };
  if (ids.source === undefined || ids.vmid === undefined || !node || !since) return undefined;
  return { source: ids.source, node, vmid: ids.vmid, since };
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
    ...claims.map(
      ({ source, vmid, node, since }) => `source=${source} vmid=${vmid} node=${node} since=${since}`,
    ),
  ].join('\n');
}

/** What a replica's notes say of it. */
export interface ReplicaMark {
  readonly source: number;
  /** Digest of the source's configuration when the copy was ordered. */
  readonly digest: string;
  readonly vmid: number;
}

export function formatReplicaMark({ source, digest, vmid }: ReplicaMark): string {
  return `${LINE}source=${source} digest=${digest} vmid=${vmid}`;
}

export function parseReplicaMark(description: string): ReplicaMark | undefined {
  const line = description.split('\n').find((text) => text.startsWith(LINE));
  if (line === undefined) return undefined;
  const { source, digest, vmid } = parseFields(line);
  const ids = { source: vmidOf(source), vmid: vmidOf(vmid) };
  if (ids.source === undefined || ids.vmid === undefined || !digest) return undefined;
  return { source: ids.source, digest, vmid: ids.vmid };
}
