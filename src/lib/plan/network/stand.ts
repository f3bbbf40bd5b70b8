/** What the bridges of a stand are planned from: who it is, and the VMs that are there already. Plans nothing. */
import type { User } from '../../config/types.ts';
import type { VmConfig } from '../../inventory/types.ts';

/** A VM of the stand that is there. */
export interface NetworkVm {
  readonly vmid: number;
  readonly config: VmConfig;
  /** Its notes carry our mark. */
  readonly marked: boolean;
  /** It was configured: its cards are the stand's. */
  readonly isFinished: boolean;
  /** How far its cards stand behind where we put them. */
  readonly nicShift: number;
  /** `--adopt` makes it ours. */
  readonly takenOver?: true;
}

export interface NetworkStand {
  readonly user: User;
  readonly claim: { readonly vmids: readonly number[] } | undefined;
  /** Machine → its VM. */
  readonly present: ReadonlyMap<string, NetworkVm>;
}
