/** The scenario file as written; names are those of the YAML. Data only. */
import type { RequestFault } from './faults.ts';
import type { Latency } from './time/latency.ts';
import type { AgentState, GuestHabits } from './state.ts';
import type { Version } from './version.ts';

export interface ScenarioBridge {
  readonly name: string;
  readonly type?: 'bridge' | 'OVSBridge';
  readonly vlan_aware?: boolean;
  readonly ports?: string;
  readonly mtu?: number;
  /** The host's own address on it. */
  readonly cidr?: string;
  readonly comments?: string;
  readonly autostart?: boolean;
}

/** Any stanza of the interfaces file; options by their API names. */
export interface ScenarioInterface {
  readonly iface: string;
  readonly type: 'eth' | 'bond' | 'vlan' | 'OVSPort' | 'OVSIntPort' | 'OVSBond';
  readonly options?: Readonly<Record<string, string>>;
}

export interface ScenarioNode {
  readonly name: string;
  readonly cpus?: number;
  readonly memory_gib?: number;
  readonly base_load?: number;
  readonly bridges?: readonly (string | ScenarioBridge)[];
  readonly interfaces?: readonly ScenarioInterface[];
  /** Bridges of sourced files: PVE does not list them, guests can use them. */
  readonly sourced_bridges?: readonly string[];
  /** Bridges that somebody made by hand, in no file. */
  readonly hand_made_bridges?: readonly string[];
  /** Interfaces of the file that ifupdown2 does not get done: bridges come up bare, others not at all, and each reload fails. */
  readonly failing_interfaces?: readonly string[];
  /** Edits of others that wait for a reload. */
  readonly staged?: readonly ScenarioBridge[];
  readonly online?: boolean;
  readonly offline_at_s?: number;
  readonly maintenance?: boolean;
  readonly cpu_model?: string;
  /** Beyond those that every CPU has; default: those of x86-64-v3. */
  readonly cpu_flags?: readonly string[];
  /** Default: true. */
  readonly kvm?: boolean;
  /** pve-manager's version on this node, while a cluster is being upgraded. */
  readonly pve_version?: string;
  /** What ZFS holds of its memory as a cache. */
  readonly zfs_arc_gib?: number;
  /** pve-qemu-kvm's version on this node, where it is another than came with its release. */
  readonly qemu_version?: string;
}

export interface ScenarioNodes {
  readonly count: number;
  readonly prefix?: string;
  readonly cpus?: number;
  readonly memory_gib?: number;
  readonly base_load?: number;
  readonly bridges?: readonly (string | ScenarioBridge)[];
}

export interface ScenarioStorage {
  readonly id: string;
  readonly type: 'dir' | 'nfs' | 'cifs' | 'lvmthin' | 'lvm' | 'zfspool' | 'rbd' | 'btrfs';
  readonly shared?: boolean;
  readonly content?: readonly string[];
  readonly nodes?: readonly string[];
  readonly disabled?: boolean;
  /** Cannot be reached: by nobody, or by these nodes. */
  readonly offline?: boolean | readonly string[];
  readonly size_gib?: number;
  readonly used_gib?: number;
  readonly lock_s?: number;
  readonly cache_s?: number;
}

export interface ScenarioMachine {
  readonly vmid: number;
  readonly name: string;
  readonly node: string;
  readonly storage?: string;
  readonly cores?: number;
  readonly memory_mib?: number;
  readonly bridge?: string;
  readonly tags?: string;
  readonly description?: string;
  readonly pool?: string;
  /** What its guest agent says, once `agent: 1` is in its configuration; clones have it too. */
  readonly agent?: AgentState;
  /** How it behaves while it runs; clones do the same. */
  readonly habits?: GuestHabits;
  /** Further lines of the configuration file. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface ScenarioTemplate extends ScenarioMachine {
  readonly disks_gib?: readonly number[];
  /** Attaches a cloud-init drive on that storage. */
  readonly cloud_init?: string;
  /** An ISO image that stays attached, e.g. `local:iso/debian.iso`. */
  readonly iso?: string;
}

export interface ScenarioGuest extends ScenarioMachine {
  readonly type?: 'qemu' | 'lxc';
  readonly disk_gib?: number;
  readonly running?: boolean;
  readonly load?: number;
  /** Share of its memory that it uses; absent: goes with `load`. */
  readonly memory_load?: number;
  readonly ha?: boolean;
  readonly snapshots?: readonly (string | { readonly name: string; readonly description?: string })[];
}

export interface ScenarioBulk {
  readonly count: number;
  readonly nodes?: readonly string[];
  readonly first_vmid?: number;
  readonly storage?: string;
  readonly cores?: number;
  readonly memory_mib?: number;
  readonly disk_gib?: number;
  /** Share of them that runs, 0 to 1. */
  readonly running?: number;
}

export interface ScenarioToken {
  readonly id: string;
  readonly secret: string;
  readonly privsep?: boolean;
}

export interface ScenarioUser {
  readonly userid: string;
  readonly password?: string;
  readonly comment?: string;
  readonly email?: string;
  readonly enable?: boolean;
  readonly expire?: number;
  readonly groups?: readonly string[];
  readonly totp?: string;
  readonly tokens?: readonly ScenarioToken[];
}

export interface ScenarioAcl {
  readonly path: string;
  readonly role: string;
  readonly user?: string;
  readonly group?: string;
  readonly token?: string;
  readonly propagate?: boolean;
}

export interface ScenarioFault {
  readonly method?: string;
  readonly path: string;
  readonly nth?: number;
  readonly every?: number;
  readonly once?: boolean;
  readonly action: RequestFault['action'];
  readonly status?: number;
  readonly text?: string;
  readonly exitstatus?: string;
  readonly ms?: number;
}

export interface Scenario {
  readonly version?: Version;
  readonly name?: string;
  readonly seed?: number;
  readonly root_password?: string;
  readonly clock?: { readonly speed?: number; readonly start?: string };
  readonly nodes: readonly ScenarioNode[] | ScenarioNodes;
  readonly storages: readonly ScenarioStorage[];
  readonly snippets?: readonly { readonly volid: string; readonly nodes?: readonly string[] }[];
  /** Resource mappings: where which device or directory is. */
  readonly mappings?: readonly {
    readonly kind: 'pci' | 'usb' | 'dir';
    readonly id: string;
    readonly nodes: readonly string[];
  }[];
  readonly templates?: readonly ScenarioTemplate[];
  readonly guests?: readonly ScenarioGuest[];
  /** Over what guests have of their template; of clones that are yet to be made, too. */
  readonly agents?: readonly { readonly vmid: number; readonly agent: AgentState }[];
  readonly foreign_guests?: ScenarioBulk;
  readonly realms?: readonly { readonly realm: string; readonly type: string }[];
  readonly users?: readonly ScenarioUser[];
  readonly groups?: readonly { readonly group: string; readonly comment?: string }[];
  readonly roles?: Readonly<Record<string, readonly string[]>>;
  readonly pools?: readonly {
    readonly pool: string;
    readonly comment?: string;
    readonly vms?: readonly number[];
    readonly storages?: readonly string[];
  }[];
  readonly acl?: readonly ScenarioAcl[];
  readonly datacenter?: Readonly<Record<string, string>>;
  readonly sdn?: {
    readonly zones?: readonly {
      readonly zone: string;
      readonly type: 'simple' | 'vlan' | 'qinq' | 'vxlan' | 'evpn';
      /** Absent: all. */
      readonly nodes?: readonly string[];
      readonly bridge?: string;
      readonly peers?: readonly string[];
      readonly mtu?: number;
    }[];
    readonly vnets?: readonly {
      readonly vnet: string;
      readonly zone: string;
      readonly tag?: number;
      readonly alias?: string;
      readonly vlanaware?: boolean;
      /** Configured, and not applied yet. */
      readonly staged?: boolean;
    }[];
    /** Nodes that have not generated what was applied. */
    readonly pending_on?: readonly string[];
  };
  readonly ha?: {
    /** Up to 8. */
    readonly groups?: readonly {
      readonly group: string;
      readonly nodes: readonly string[];
      readonly restricted?: boolean;
      readonly nofailback?: boolean;
      readonly vmids?: readonly number[];
    }[];
    /** Since 9. */
    readonly rules?: readonly {
      readonly rule: string;
      readonly type: 'node-affinity' | 'resource-affinity';
      readonly vmids: readonly number[];
      readonly nodes?: readonly string[];
      readonly strict?: boolean;
      readonly affinity?: 'positive' | 'negative';
    }[];
  };
  /** Lines of a node's task index until it is rotated; two of them are kept. */
  readonly task_index_size?: number;
  readonly latency?: Partial<Latency>;
  readonly faults?: readonly ScenarioFault[];
}
