/** What a plan would make of the nodes' memory and machines. Types only. */

export interface PlannedLoad {
  readonly node: string;
  readonly online: boolean;
  readonly cpus: number;
  /** Bytes. */
  readonly memoryTotal: number;
  /** In use as it was planned. */
  readonly memoryBefore: number;
  /** With all new machines running, each using all that it may. */
  readonly memoryAfter: number;
  readonly newMachines: number;
  /** Virtual CPUs of the new machines. */
  readonly newCpus: number;
}
