/** The validated, normalised input ("want"). Plain data: no functions, no file handles, no secrets of PVE. */
import type { Check } from './checks/types.ts';
import type { STRATEGY_NAMES } from './lab/strategy-names.ts';

/** Numbers of bridges (`vmbrN`), both ends included. */
export interface BridgeRange {
  readonly first: number;
  readonly last: number;
}

/** A lab: what `lab.yml` describes. */
export interface Lab {
  /** `[a-z0-9][a-z0-9-]{0,30}`. */
  readonly name: string;
  readonly machines: readonly Machine[];
  readonly placement: Placement;
  readonly access: Access;
  /** Inclusive range from which VMIDs are taken. Default 10000–99999. */
  readonly vmidRange: { readonly first: number; readonly last: number };
  /** Numbers of the bridges that are made for stands: the lab's, else the connection's, else 1000–4094. */
  readonly bridgeRange: BridgeRange;
  /** `YYYY-MM-DD`; the lab may be removed by `cleanup --expired` after this day. */
  readonly expires?: string;
  readonly passwords: PasswordPolicy;
  /** What `check` looks for in the students' machines. */
  readonly checks?: readonly Check[];
  /** Path of lab.yml as the user wrote it; for messages. */
  readonly file: string;
}

export type DeviceType = 'linux' | 'ecorouter';

/** Which template a machine is cloned from. `node` chooses among templates of one name or tag; VMIDs are unique. */
export type TemplateRef =
  | { readonly by: 'vmid'; readonly vmid: number; readonly node?: string }
  | { readonly by: 'name'; readonly name: string; readonly node?: string }
  | { readonly by: 'tag'; readonly tag: string; readonly node?: string };

/** One machine of the lab; becomes one VM per user, with `name` as the VM's name. */
export interface Machine {
  readonly name: string;
  readonly deviceType: DeviceType;
  readonly template: TemplateRef;
  readonly fullClone: boolean;
  readonly networks: readonly Network[];
  readonly cores?: number;
  /** MiB. */
  readonly memory?: number;
  /** Target storage; full clones only. */
  readonly storage?: string;
  /** Role granted on this VM in addition to the pool's role. */
  readonly poolRole?: string;
  readonly cloudInit?: CloudInit;
  readonly start: boolean;
  /** Our own sequencing: lower numbers start first; machines without one start last. */
  readonly startOrder?: number;
  /** Name of the snapshot taken once, before the student gets access. */
  readonly baselineSnapshot?: string;
  /** Lower case, sorted, without ours (`deploy-stand`, `lab-<lab>`). */
  readonly tags: readonly string[];
  /** Where the machine is written, for messages: 1-based line in `Lab.file`. */
  readonly line: number;
}

/** Where a NIC is plugged in. An alias becomes a bridge of the user's own. */
export type NetworkTarget =
  | { readonly kind: 'real'; readonly bridge: string; readonly reserved: boolean }
  | { readonly kind: 'alias'; readonly alias: string };

/** One NIC. `networks[i]` becomes `net{i}` (linux) or `net{i+1}` (ecorouter). */
export interface Network {
  readonly target: NetworkTarget;
  /** VLAN tag 1–4094. */
  readonly tag?: number;
  /** VLANs or ranges (`10`, `20-30`) let through. */
  readonly trunks?: readonly string[];
  /** Default: virtio (linux), vmxnet3 (ecorouter). */
  readonly model?: string;
  /** Upper case, colon separated. */
  readonly mac?: string;
  /** Default true for linux and false for ecorouter. */
  readonly firewall?: boolean;
  readonly linkDown?: boolean;
  readonly mtu?: number;
}

/** Cloud-init settings; `password` stays in the config and never enters a plan. */
export interface CloudInit {
  readonly user?: string;
  readonly password?: string;
  /** One public key per entry. */
  readonly sshKeys?: readonly string[];
  readonly nameserver?: string;
  readonly searchdomain?: string;
  readonly upgrade?: boolean;
  /** By NIC index as in PVE, e.g. `{ 0: 'ip=dhcp' }`. */
  readonly ipConfig?: Readonly<Record<number, string>>;
}

export type Strategy = (typeof STRATEGY_NAMES)[number];

export interface Placement {
  readonly strategy: Strategy;
  /** For `specific`. */
  readonly node?: string;
  /** Only these nodes. */
  readonly nodes?: readonly string[];
  readonly exclude: readonly string[];
  /** What stays free on every node. */
  readonly reserve?: Reserve;
  /** Most stands of ours on one node, those of other labs included. */
  readonly maxStandsPerNode?: number;
  /** Memory: hard, as a multiple of the node's. Cpu: virtual CPUs per thread, soft. */
  readonly overcommit?: { readonly memory?: number; readonly cpu?: number };
  /** What a linked clone is expected to take, in percent of its template's disks. */
  readonly linkedGrowth?: number;
  /** Groups of userids whose stands are kept apart, as evenly over the nodes as can be. */
  readonly spread?: readonly (readonly string[])[];
  /** Groups of userids whose stands go to one node; no user is in two of them. */
  readonly together?: readonly (readonly string[])[];
  /** Userid → the nodes its stand may go to. */
  readonly pin?: Readonly<Record<string, readonly string[]>>;
  /** Warn at plan time about stands that could not be moved later. */
  readonly movable?: boolean;
}

/** A share of the node (0…100), or an absolute amount. */
export type Amount =
  | { readonly kind: 'percent'; readonly value: number }
  | { readonly kind: 'absolute'; readonly value: number };

export interface Reserve {
  /** Absolute: MiB. */
  readonly memory?: Amount;
  /** Absolute: threads. */
  readonly cores?: Amount;
}

export interface Access {
  /** Role on the pool; default PVEVMAdmin. */
  readonly role: string;
  /** What the pools of users are called for whom the users file names none: `class10/{user}`. */
  readonly pool?: string;
}

/** How first passwords are made. */
export interface PasswordPolicy {
  readonly length: number;
  /** `unambiguous`: letters and digits without 0 O 1 l I; `digits`: digits only. */
  readonly alphabet: 'unambiguous' | 'digits';
}

/** One student. */
export interface User {
  /** `name@realm`. */
  readonly userid: string;
  readonly realm: string;
  /** Pool of the user: the part before the last `@`, or `pool:` of users.yml. */
  readonly pool: string;
  readonly email?: string;
  /** By which a learning platform knows the user. */
  readonly lmsId?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly groups: readonly string[];
  /** Seconds since the epoch; 0 or absent: never. */
  readonly expire?: number;
  /** Where the list names it. */
  readonly place?: Place;
}

export interface Place {
  readonly file: string;
  readonly line: number;
}

/** Where a connection leads; what each is like: `connections/platform.ts`. */
export type Platform = 'pve' | 'vmmanager6';

/** As files and documents name it: where they name none, it is Proxmox VE. */
export type PlatformBesidePve = Exclude<Platform, 'pve'>;

/** How nodes of VMmanager 6 are reached over SSH. */
export interface SshSettings {
  /** Where VMmanager names no account. */
  readonly user?: string;
  readonly keyFile?: string;
  /** Of the key. */
  readonly passphrase?: string;
  readonly password?: string;
  /** Instead of the account's and the machine's. */
  readonly knownHostsFile?: string;
  /** Seconds, for each node. */
  readonly timeout: number;
  /** Name or number of a node → host, where VMmanager tells no address. */
  readonly hosts: Readonly<Record<string, string>>;
}

/** A cluster and how to log in. Secrets live here and nowhere else. */
export interface Connection {
  readonly name: string;
  /** The connections file that says where it is and what to trust; absent: the environment does. */
  readonly file?: string;
  readonly platform: Platform;
  /** Hosts of one cluster in the order to try; `host:port`, the port by default the platform's. */
  readonly hosts: readonly string[];
  readonly auth:
    | { readonly kind: 'token'; readonly tokenId: string; readonly secret: string }
    | { readonly kind: 'password'; readonly user: string; readonly password: string };
  readonly tls: {
    readonly verify: boolean;
    /** PEM text. */
    readonly ca?: string;
    /** SHA-256, upper case, colon separated; several (one per node) separated by commas. */
    readonly fingerprint?: string;
  };
  /** Milliseconds for one request. */
  readonly timeout: number;
  /** Other accounts that run deploy-stand here or administer its pools: `user@realm`, a token's id, `@group`. */
  readonly operators: readonly string[];
  /** The outer bound of every lab's `bridge_range` here; absent: none. */
  readonly bridgeRange?: BridgeRange;
  /** VMmanager 6: the IANA zone of the times that it writes down; absent: UTC. */
  readonly timeZone?: string;
  /** VMmanager 6; absent: its nodes are not asked. */
  readonly ssh?: SshSettings;
}
