/**
 * The endpoints that only balance needs, as methods. Privileges and versions are from the official contract; see
 * types.ts for what all methods have in common.
 */
import type { GuestKind } from '../pve-values/guest-kinds.ts';
import type { SdnApi } from './sdn-types.ts';

/** One point of the statistics; values are averages of its span. Absent: not recorded, or unknown to this version. */
export interface RrdPoint {
  /** Seconds since the epoch. */
  readonly time: number;
  /** Fraction: of all threads (node), of its own CPUs (guest). */
  readonly cpu?: number;
  /** Bytes; of a guest on 9 what it takes of the host (`memhost`). */
  readonly memory?: number;
  /** Bytes per second, in both directions; of a guest. */
  readonly network?: number;
  /** Bytes of `memory` that are ZFS's cache, and given back when somebody needs them; of a node on 9. */
  readonly arc?: number;
  readonly loadavg?: number;
  /** PSI "some", 0…1; 9. */
  readonly cpuPressure?: number;
  readonly memoryPressure?: number;
}

export interface GuestRef {
  readonly node: string;
  readonly vmid: number;
  readonly type: GuestKind;
}

/** One gauge of a node or guest at one moment. */
export interface Metric {
  /** `node/<name>`, `qemu/<vmid>`, `lxc/<vmid>`. */
  readonly id: string;
  /** `cpu_current`, `mem_used`, … */
  readonly metric: string;
  readonly value: number;
}

/** A group (7, 8) or rule (9) as it is written; resources are `vm:100`, `ct:101`. */
export interface HaRuleRow {
  readonly name: string;
  readonly kind: 'node-affinity' | 'resource-affinity';
  readonly resources: readonly string[];
  /** Without priorities. */
  readonly nodes: readonly string[];
  readonly strict: boolean;
  readonly affinity?: 'positive' | 'negative';
}

export interface MigrateRequest {
  readonly node: string;
  readonly vmid: number;
  readonly target: string;
  /** Must be set for a VM that runs. */
  readonly online?: boolean;
  /** Of a running VM; those of a stopped one go along by themselves. */
  readonly withLocalDisks?: boolean;
  /** Sent to hosts of 9 and later only. */
  readonly conntrack?: boolean;
  /**
   * One for all local disks, or pairs by the storage that they are on; HA drops it. Takes VM.Config.Disk too, and
   * Datastore.AllocateSpace there. Absent, and for what no pair names: storages of the same names.
   */
  readonly targetStorage?: string | Readonly<Record<string, string>>;
  /** KiB/s. */
  readonly bandwidth?: number;
}

export interface ContainerMigrateRequest extends Pick<
  MigrateRequest,
  'node' | 'vmid' | 'target' | 'targetStorage' | 'bandwidth'
> {
  /** Must be set for one that runs: it is shut down (180 s at most), moved, and started again. */
  readonly restart?: boolean;
}

export interface BalanceApi extends SdnApi {
  /** `GET /nodes/{node}/rrddata`, averages. Sys.Audit on the node. `day`: 30-minute points on 7 and 8. */
  nodeHistory(node: string, span: 'hour' | 'day', signal?: AbortSignal): Promise<readonly RrdPoint[]>;
  /** `GET /nodes/{node}/{type}/{vmid}/rrddata`, averages. VM.Audit. */
  guestHistory(guest: GuestRef, span: 'hour' | 'day', signal?: AbortSignal): Promise<readonly RrdPoint[]>;
  /** `GET /nodes/{node}/status`. Sys.Audit on the node. */
  nodeStatus(
    node: string,
    signal?: AbortSignal,
  ): Promise<{
    readonly cpuModel?: string;
    /** As /proc/cpuinfo names them. */
    readonly cpuFlags?: readonly string[];
    /** Whether its CPU lends itself to KVM: not where that is off in its BIOS, nor in most virtual machines. */
    readonly hasKvm?: boolean;
    readonly pveVersion?: string;
  }>;
  /**
   * `GET /cluster/metrics/export?history=1`: every 10 s of at most half an hour, of all guests. Sys.Audit on `/`.
   * Undefined: this version has none (8.3 brought it).
   */
  metricsSince(since: number, signal?: AbortSignal): Promise<readonly Metric[] | undefined>;
  /** `GET /cluster/options` → the parts of `crs`. Sys.Audit on `/`, else empty. */
  crsOptions(signal?: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** `GET /cluster/ha/rules` (9) or `…/groups` with `…/resources` (7, 8). Sys.Audit on `/`. */
  haRules(signal?: AbortSignal): Promise<readonly HaRuleRow[]>;
  /** `GET /nodes/{node}/qemu/{vmid}/status/current`: of a VM that runs. VM.Audit. */
  runningMachine(
    guest: { readonly node: string; readonly vmid: number },
    signal?: AbortSignal,
  ): Promise<{ readonly machine?: string; readonly qemu?: string }>;
  /**
   * `GET /nodes/{node}/qemu/{vmid}/migrate`. VM.Migrate. Says nothing about memory, bridges, or whether a node is up;
   * on 7 nothing about nodes while the VM runs. It knows of no `targetstorage`: `mapped` names the storages that need not
   * be there.
   */
  migrateProblems(
    vm: {
      readonly node: string;
      readonly vmid: number;
      readonly target: string;
      readonly mapped?: readonly string[];
    },
    signal?: AbortSignal,
  ): Promise<{ readonly runs: boolean; readonly problems: readonly string[] }>;
  /**
   * `POST /nodes/{node}/qemu/{vmid}/migrate`. VM.Migrate. Answers the UPID; the task (`qmigrate`) lives on the source; under HA it is a
   * `hamigrate` that ends when the wish is noted.
   */
  migrateVm(request: MigrateRequest, signal?: AbortSignal): Promise<string>;
  /**
   * `POST /nodes/{node}/lxc/{vmid}/migrate`. VM.Migrate. Answers the UPID of a `vzmigrate` on the source. One that runs and
   * cannot be moved after all is started again where it is; one that has arrived and cannot be started ends the task with
   * `migration problems`.
   */
  migrateContainer(request: ContainerMigrateRequest, signal?: AbortSignal): Promise<string>;
}
