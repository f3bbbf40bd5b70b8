/** How long things take on simulated hardware. Data only. */

/** Names as in the scenario file; milliseconds (`_ms`) and seconds (`_s`). */
export interface Latency {
  readonly request_ms: number;
  readonly user_cfg_write_ms: number;
  readonly config_write_ms: number;
  readonly linked_clone_s: number;
  readonly storage_lock_s: number;
  readonly full_clone_s_per_gib: number;
  readonly start_s: number;
  readonly stop_s: number;
  /** From power on until the agent inside answers. */
  readonly guest_boot_s: number;
  readonly shutdown_s: number;
  readonly network_reload_s: number;
  readonly network_write_ms: number;
  readonly snapshot_s: number;
  readonly rollback_s: number;
  /** Writing the memory of a machine to disk, and reading it. */
  readonly vmstate_s_per_gib: number;
  readonly template_s: number;
  readonly destroy_s: number;
  readonly migrate_s: number;
  readonly migrate_s_per_gib: number;
}

export const defaultLatency: Latency = {
  request_ms: 15,
  user_cfg_write_ms: 150,
  config_write_ms: 60,
  linked_clone_s: 3,
  storage_lock_s: 1,
  full_clone_s_per_gib: 4,
  start_s: 2,
  stop_s: 1,
  guest_boot_s: 12,
  shutdown_s: 6,
  network_reload_s: 4,
  network_write_ms: 120,
  snapshot_s: 1.5,
  rollback_s: 2,
  vmstate_s_per_gib: 2,
  template_s: 1,
  destroy_s: 1.2,
  migrate_s: 3,
  migrate_s_per_gib: 2,
};
