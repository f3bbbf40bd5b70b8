/** The mark of a user's pool: our header in its comment, and a line per lab, the claim. Judges no VM. */
import { MARK, parseFields } from './fields.ts';
import { formatVmids, parseVmids } from './vmid-ranges.ts';

/** One lab's line in a pool comment: the claim. */
export interface Claim {
  readonly lab: string;
  /** Ascending. */
  readonly vmids: readonly number[];
  /** ISO 8601 UTC. */
  readonly since: string;
  readonly expires?: string;
  /** Node the stand was placed on; tells only while none of its objects exists. */
  readonly node?: string;
}

/** A pool comment, taken apart. `others` are lines that are not ours; they are kept as they are. */
export interface PoolMark {
  /** Somebody else may write the pool: there is no mark that counts. Who, and by which right. */
  readonly delegated?: string;
  /** Undefined: no header, the pool is not ours. */
  readonly user?: string;
  /** The pool existed before us: it is never deleted. */
  readonly adopted: boolean;
  /** Roles on the pool that the user had before we adopted it: never taken away. */
  readonly roles?: readonly string[];
  /** Wanted without a stand, too: no orphan. */
  readonly kept?: boolean;
  readonly claims: readonly Claim[];
  readonly others: readonly string[];
}

function parseClaim(line: string): Claim | undefined {
  if (!line.startsWith('lab=')) return undefined;
  const { lab, vmids, since, expires, node } = parseFields(line);
  if (!lab || vmids === undefined || !since) return undefined;
  return {
    lab,
    vmids: parseVmids(vmids),
    since,
    ...(expires ? { expires } : {}),
    ...(node ? { node } : {}),
  };
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
  const { user, roles } = parseFields(header);
  const words = header.split(/\s+/);
  const claims: Claim[] = [];
  const others: string[] = [];
  for (const line of lines) {
    if (line === '' || line === header) continue;
    const claim = parseClaim(line);
    if (claim) claims.push(claim);
    else others.push(line);
  }
  return {
    ...(user ? { user } : {}),
    adopted: words.includes('adopted'),
    ...(roles ? { roles: roles.split(',') } : {}),
    ...(words.includes('kept') ? { kept: true } : {}),
    claims,
    others,
  };
}

function formatClaim(claim: Claim): string {
  return [
    `lab=${claim.lab}`,
    `vmids=${formatVmids(claim.vmids)}`,
    ...(claim.node === undefined ? [] : [`node=${claim.node}`]),
    `since=${claim.since}`,
    ...(claim.expires === undefined ? [] : [`expires=${claim.expires}`]),
  ].join(' ');
}

/** Foreign lines first, then our header, then the claims in the order given. */
export function formatPoolComment(mark: PoolMark & { readonly user: string }): string {
  const { roles = [], kept = false } = mark;
  const header = [
    `${MARK} user=${mark.user}`,
    ...(mark.adopted ? ['adopted'] : []),
    ...(roles.length === 0 ? [] : [`roles=${roles.join(',')}`]),
    ...(kept ? ['kept'] : []),
  ].join(' ');
  return [...mark.others, header, ...mark.claims.map(formatClaim)].join('\n');
}

/** VMIDs that any of these pools claims, for whatever lab. */
export function vmidsClaimedBy(pools: readonly { readonly comment: string }[]): number[] {
  return pools.flatMap(({ comment }) => parsePoolComment(comment).claims.flatMap(({ vmids }) => vmids));
}
