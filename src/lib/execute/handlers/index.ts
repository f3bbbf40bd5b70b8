/** All handlers by kind. A kind without one does not compile. */
import type { Handlers } from '../types.ts';
import { grantAcl } from './acl-grant.ts';
import { createBridge } from './bridge-create.ts';
import { updateBridge } from './bridge-update.ts';
import { reloadNetwork } from './network-reload.ts';
import { createPool } from './pool-create.ts';
import { updatePool } from './pool-update.ts';
import { createUser } from './user-create.ts';
import { cloneVm } from './vm-clone.ts';
import { configureVm } from './vm-configure.ts';
import { snapshotVm } from './vm-snapshot.ts';
import { startVm } from './vm-start.ts';

export const handlers: Handlers = {
  'user.create': createUser,
  'pool.create': createPool,
  'pool.update': updatePool,
  'acl.grant': grantAcl,
  'bridge.create': createBridge,
  'bridge.update': updateBridge,
  'network.reload': reloadNetwork,
  'vm.clone': cloneVm,
  'vm.configure': configureVm,
  'vm.snapshot': snapshotVm,
  'vm.start': startVm,
};
