/** All endpoints and all kinds of worker tasks in one place. Holds no behaviour. */
import { startHaManager } from '../ha-manager.ts';
import type { Handlers, Sim } from '../sim.ts';
import { accessLoginHandlers } from './access-login.ts';
import { accessRightsHandlers } from './access-rights.ts';
import { accessUserHandlers } from './access-users.ts';
import { clusterHandlers } from './cluster.ts';
import { haRuleHandlers } from './ha-rules.ts';
import { haHandlers } from './ha.ts';
import { lxcHandlers } from './lxc.ts';
import { lxcMigrateHandlers, lxcMigrateWorker } from './lxc-migrate.ts';
import {
  lxcPowerHandlers,
  rebootContainerWorker,
  resumeContainerWorker,
  shutdownContainerWorker,
  startContainerWorker,
  stopContainerWorker,
  suspendContainerWorker,
} from './lxc-power.ts';
import { networkHandlers, reloadWorker } from './network.ts';
import { nodeHandlers } from './nodes.ts';
import { poolHandlers } from './pools.ts';
import { qemuAgentHandlers } from './qemu-agent.ts';
import { cloneWorker, qemuCloneHandlers } from './qemu-clone.ts';
import { configureWorker, qemuConfigHandlers, resizeWorker } from './qemu-config.ts';
import { moveDiskWorker, qemuDiskHandlers } from './qemu-disk.ts';
import { reassignDiskWorker } from './qemu-disk-reassign.ts';
import { createWorker, destroyWorker, qemuLifecycleHandlers, templateWorker } from './qemu-lifecycle.ts';
import { qemuMigrateCheckHandlers } from './qemu-migrate-check.ts';
import { haMigrateWorker, migrateWorker, qemuMigrateHandlers } from './qemu-migrate.ts';
import {
  haRequestWorker,
  hibernateWorker,
  qemuPowerHandlers,
  shutdownWorker,
  signalWorker,
  startWorker,
  stopWorker,
} from './qemu-power.ts';
import { qemuReadHandlers } from './qemu-read.ts';
import {
  deleteSnapshotWorker,
  qemuSnapshotHandlers,
  rollbackWorker,
  snapshotWorker,
} from './qemu-snapshot.ts';
import { sdnApplyWorker, sdnConfigHandlers } from './sdn-config.ts';
import { mappingHandlers } from './mappings.ts';
import { sdnHandlers } from './sdn.ts';
import { statisticsHandlers } from './statistics.ts';
import { storageHandlers } from './storage.ts';
import { taskHandlers } from './tasks.ts';

export const handlers: Handlers = {
  ...accessLoginHandlers,
  ...accessRightsHandlers,
  ...accessUserHandlers,
  ...clusterHandlers,
  ...haHandlers,
  ...haRuleHandlers,
  ...lxcHandlers,
  ...lxcMigrateHandlers,
  ...lxcPowerHandlers,
  ...mappingHandlers,
  ...networkHandlers,
  ...nodeHandlers,
  ...poolHandlers,
  ...qemuAgentHandlers,
  ...qemuCloneHandlers,
  ...qemuConfigHandlers,
  ...qemuDiskHandlers,
  ...qemuLifecycleHandlers,
  ...qemuMigrateCheckHandlers,
  ...qemuMigrateHandlers,
  ...qemuPowerHandlers,
  ...qemuReadHandlers,
  ...qemuSnapshotHandlers,
  ...sdnConfigHandlers,
  ...sdnHandlers,
  ...statisticsHandlers,
  ...storageHandlers,
  ...taskHandlers,
};

const workers = {
  'network-reload': reloadWorker,
  clone: cloneWorker,
  configure: configureWorker,
  create: createWorker,
  delsnapshot: deleteSnapshotWorker,
  destroy: destroyWorker,
  'ha-migrate': haMigrateWorker,
  'ha-request': haRequestWorker,
  hibernate: hibernateWorker,
  'lxc-migrate': lxcMigrateWorker,
  'lxc-reboot': rebootContainerWorker,
  'lxc-resume': resumeContainerWorker,
  'lxc-shutdown': shutdownContainerWorker,
  'lxc-start': startContainerWorker,
  'lxc-stop': stopContainerWorker,
  'lxc-suspend': suspendContainerWorker,
  migrate: migrateWorker,
  'move-disk': moveDiskWorker,
  'reassign-disk': reassignDiskWorker,
  resize: resizeWorker,
  rollback: rollbackWorker,
  'sdn-apply': sdnApplyWorker,
  shutdown: shutdownWorker,
  signal: signalWorker,
  snapshot: snapshotWorker,
  start: startWorker,
  stop: stopWorker,
  template: templateWorker,
} as const;

export function registerWorkers(sim: Sim): void {
  for (const [kind, worker] of Object.entries(workers)) sim.tasks.register(kind, worker(sim));
  startHaManager(sim);
}
