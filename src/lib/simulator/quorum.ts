/** Whether the cluster has quorum, and PVE's three ways of saying that it has not. Writes nothing itself. */
import { die } from './pve-error.ts';

export class Quorum {
  present = true;

  /** Cluster.pm check_cfs_quorum, asked before larger works. */
  check(): void {
    if (!this.present) die('cluster not ready - no quorum?');
  }

  /** Cluster.pm $cfs_lock: without quorum no directory can be made below /etc/pve/priv/lock. */
  checkLock(name: string): void {
    if (!this.present) die(`cfs-lock '${name}' error: no quorum!`);
  }

  /** The file system itself refuses. */
  checkGuestFile(node: string, vmid: number, pid: number): void {
    if (this.present) return;
    die(
      `unable to open file '/etc/pve/nodes/${node}/qemu-server/${vmid}.conf.tmp.${pid}' - Permission denied`,
    );
  }
}
