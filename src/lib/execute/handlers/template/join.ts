/**
 * Makes a finished copy of a template a member of the pool of all copies, and says so in its claim. From then on membership
 * proves that it is ours. Under the planning lock, since the pool's comment is one text for all of them.
 */
import { formatReplicaPool, isReplicaPool, parseReplicaPool, REPLICA_POOL } from '../../../marks/replica.ts';
import type { StepOf } from '../../../plan/document/step.ts';
import { attempt } from '../../retry.ts';
import type { Handler, StepIo, StepOutcome } from '../../types.ts';
import { bringIn, poolChanged } from '../pool/members.ts';
import { findReplica } from './place.ts';

async function join(step: StepOf<'template.join'>, io: StepIo): Promise<StepOutcome> {
  const { vmid } = step;
  const present = await io.pve.pool(REPLICA_POOL, io.signal);
  if (!present) throw poolChanged(REPLICA_POOL, 'it is gone');
  if (!isReplicaPool(present.comment)) throw poolChanged(REPLICA_POOL, 'it does not carry our mark');
  await findReplica(step, io);
  const { claims, others } = parseReplicaPool(present.comment);
  const comment = formatReplicaPool({
    claims: claims.map((claim) => (claim.vmid === vmid ? { ...claim, state: 'made', seals: [] } : claim)),
    others,
  });
  return bringIn(REPLICA_POOL, present, { comment, vmids: [vmid] }, io);
}

export const joinReplica: Handler<'template.join'> = (step, io) =>
  attempt(io, {
    id: step.id,
    act: () => io.exclusively(() => join(step, io)),
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
