/** Why a write is not made to what is not ours, or no more: the refusals of ask-ownership.ts. */
import type { PoolWriter } from '../inventory/types.ts';
import type { Verdict } from '../plan/stands/ownership.ts';
import { StepError } from './step-error.ts';

interface At {
  readonly vmid: number;
  readonly pool: string;
}

const WHY: Readonly<Record<Verdict, string>> = {
  missing: 'is gone',
  open: 'is not there',
  'in-flight': 'is still being cloned',
  unjoined: 'has not joined its pool',
  ours: 'is ours',
  'left-pool': 'is in no pool any more',
  foreign: 'is not the one that the claim speaks of',
  unsealed: 'does not carry the seal of its clone',
  zombie: 'is being removed, or the rest of a failed removal or clone',
  away: 'is on a node that is offline',
  unreadable: 'does not show whose it is',
  doubtful: 'does not show whose it is',
};

export function notBelieved(pool: string, { says, unseen }: PoolWriter): StepError {
  return new StepError(
    'POOL_DELEGATED',
    `pool ${pool} ${unseen ? 'may be writable for' : 'can be written by'} somebody else by now, so nothing in it proves what is ours: ${says}`,
    { hint: 'run the command again: it says what to do about that right' },
  );
}

export function finishedMeanwhile({ vmid, pool }: At): StepError {
  return new StepError(
    'NOT_OURS',
    `VM ${vmid} has joined pool ${pool} meanwhile, so it is no orphan; it is left alone`,
    { hint: 'run the command again: it plans anew from what is there' },
  );
}

export function notOurs({ vmid, pool }: At, verdict: Verdict): StepError {
  return new StepError('NOT_OURS', `VM ${vmid} of pool ${pool} ${WHY[verdict]}; it is left alone`, {
    hint: 'run the command again: it plans anew from what is there',
  });
}
