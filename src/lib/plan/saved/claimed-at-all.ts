/** What a pool's comment claims, however much of it is made already and since when: two comments that claim the same read the same. */
import { formatPoolComment, mapMachines, parsePoolComment } from '../../marks/pool.ts';
import { formatReplicaPool, isReplicaPool, parseReplicaPool } from '../../marks/replica.ts';

/** Before anything is made, and before any seal is drawn. */
const RESERVED = { state: 'reserved', seals: [] } as const;
const SOMETIME = { since: '-' } as const;

export function claimedAtAll(comment: string): string {
  if (isReplicaPool(comment)) {
    const { claims, others } = parseReplicaPool(comment);
    return formatReplicaPool({
      claims: claims.map((claim) => ({ ...claim, ...RESERVED, ...SOMETIME })),
      others,
    });
  }
  const mark = parsePoolComment(comment);
  if (mark.user === undefined) return comment;
  const claims = mark.claims.map((claim) =>
    mapMachines({ ...claim, ...SOMETIME }, (one) => ({ ...one, ...RESERVED })),
  );
  return formatPoolComment({ ...mark, user: mark.user, claims });
}
