/** The machines of one stand and how they are wired: what pictures are made of. Types only. */
import type { DeviceType } from '../../config/types.ts';

export interface Topology {
  readonly lab: string;
  readonly machines: readonly TopologyMachine[];
  readonly networks: readonly TopologyNetwork[];
  readonly links: readonly TopologyLink[];
}

export interface TopologyMachine {
  readonly name: string;
  readonly device: DeviceType;
  /** As the lab names it. */
  readonly template: string;
  readonly cores?: number;
  /** MiB. */
  readonly memory?: number;
}

export interface TopologyNetwork {
  readonly name: string;
  /** `uplink`: a bridge that exists. `shared`: one that all stands have. `own`: of one student alone. */
  readonly kind: 'uplink' | 'shared' | 'own';
  /** In use, ascending. */
  readonly vlans: readonly number[];
}

export interface TopologyLink {
  readonly machine: string;
  readonly network: string;
  /** `net1`. */
  readonly nic: string;
  readonly vlan?: number;
  readonly trunks?: readonly string[];
  /** The cable is unplugged. */
  readonly isDown: boolean;
}
