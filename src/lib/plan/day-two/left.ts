/** What is told of a selected machine that a command leaves alone: by its verdict, never by its name. Plans nothing. */
import type { Refusal } from '../document/plan.ts';
import type { StandMachine, StandView } from '../stands/selected.ts';

function nameOf({ vmid, machine, guest }: StandMachine): string {
  const name = machine ?? guest?.name;
  const called = name === undefined ? '' : ` (${name})`;
  return `VM ${vmid}${called}${guest ? ` on ${guest.node}` : ''}`;
}

/** Undefined: somebody else's, which is nobody's concern here. */
export function whyLeft(one: StandMachine, { pool, claim: { lab } }: StandView): Refusal | undefined {
  const name = nameOf(one);
  switch (one.verdict) {
    case 'foreign':
    case 'ours':
      return undefined;
    case 'missing':
    case 'open':
      return {
        code: 'MACHINE_MISSING',
        message: `${name} is not there`,
        hint: `deploy of lab ${lab} makes it`,
      };
    case 'in-flight':
    case 'unjoined':
      return {
        code: 'MACHINE_UNFINISHED',
        message: `${name} is not finished`,
        hint: `deploy of lab ${lab} completes it`,
      };
    case 'left-pool':
      return {
        code: 'LEFT_POOL',
        message: `${name} is in no pool any more: somebody took it out of pool ${pool}`,
        hint: `put it back into pool ${pool}`,
      };
    case 'zombie':
      return {
        code: 'ZOMBIE_VM',
        message: `${name} is the rest of a failed removal or clone`,
        hint: `cleanup of lab ${lab} removes it, or says how`,
      };
    case 'away':
      return {
        code: 'NODE_OFFLINE',
        message: `${name}: the node is offline`,
        hint: 'bring the node back, then run again',
      };
    case 'unreadable':
      return {
        code: 'VM_UNREADABLE',
        message: `${name} cannot be read, so that nobody knows whether it is ours`,
        hint: 'grant VM.Audit on it, then run again',
      };
    case 'doubtful':
      return {
        code: 'UNMARKED_VM',
        message: `${name} stands at an id that pool ${pool} has claimed, but carries no mark of ours`,
        hint: `take it out of pool ${pool}; or, if it is the student's, give the user access to the pool`,
      };
  }
}
