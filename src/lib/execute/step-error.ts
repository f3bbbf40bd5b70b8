/** The failure of one step, with a permanent code. Says what stands in the way; must not decide what follows. */
import { ApplyError } from '../errors.ts';

/** `VMID_TAKEN` and `BRIDGE_TAKEN` make the command plan the stand again; all other codes are final for this run. */
export class StepError extends ApplyError {}
