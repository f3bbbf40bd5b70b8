/** An installation of VMmanager 6 as a scenario file describes it. Types only. */

export interface Scenario {
  readonly platform: 'vmmanager6';
  /** Simulated seconds per second. */
  readonly speed?: number;
  /** The account has a second factor. */
  readonly second_factor?: boolean;
  /** Seconds for which a login holds. */
  readonly token_seconds?: number;
  /** Hours by which the times of the history are ahead of UTC. */
  readonly utc_offset_hours?: number;
  /** What this version does not have. */
  readonly without?: readonly ('balancer_mode' | 'target-form' | 'history' | 'task-list' | 'task-number')[];
  readonly clusters: readonly ScenarioCluster[];
  readonly nodes: readonly ScenarioNode[];
  readonly guests?: readonly ScenarioGuest[];
  readonly faults?: readonly ScenarioFault[];
}

interface ScenarioCluster {
  readonly id: number;
  readonly name: string;
}

export interface ScenarioNode {
  readonly id: number;
  readonly name: string;
  readonly cluster: number;
  readonly cpus: number;
  readonly memory_gib: number;
  readonly state?: string;
  readonly maintenance?: boolean;
  readonly creation_blocked?: boolean;
  readonly host_limit?: number;
  readonly qemu_version?: string;
  readonly ip?: string;
  readonly port?: number;
  readonly ssh_user?: string;
  /** VMmanager's own word on it as a target. */
  readonly unsuitable?: boolean;
}

export interface ScenarioGuest {
  readonly id: number;
  readonly name: string;
  /** Number of its node. */
  readonly node: number;
  readonly cores: number;
  readonly memory_mib: number;
  readonly state?: string;
  readonly iso?: boolean;
  readonly snapshots?: number;
  readonly balancer?: boolean;
  readonly tags?: readonly string[];
}

export interface ScenarioFault {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly nth?: number;
  readonly every?: number;
  readonly once?: boolean;
  readonly action: 'fail' | 'drop-before' | 'drop-after' | 'task-fail' | 'slow';
  readonly status?: number;
  readonly text?: string;
  readonly ms?: number;
}
