/** All handlers by kind. A kind without one does not compile. */
import type { Handlers } from '../types.ts';
import { grantAcl } from './acl/grant.ts';
import { revokeAcl } from './acl/revoke.ts';
import { createBridge } from './network/bridge-create.ts';
import { deleteBridge } from './network/bridge-delete.ts';
import { updateBridge } from './network/bridge-update.ts';
import { removeFromHa } from './vm/ha-remove.ts';
import { reloadNetwork } from './network/reload.ts';
import { createPool } from './pool/create.ts';
import { deletePool } from './pool/delete.ts';
import { releasePool } from './pool/release.ts';
import { joinPool } from './pool/join.ts';
import { leavePool } from './pool/leave.ts';
import { updatePool } from './pool/update.ts';
import { configureReplica } from './template/configure.ts';
import { convertReplica } from './template/convert.ts';
import { joinReplica } from './template/join.ts';
import { migrateReplica } from './template/migrate.ts';
import { createRole } from './acl/role-create.ts';
import { createUser } from './user/create.ts';
import { deleteUser } from './user/delete.ts';
import { sealVm } from './vm/seal.ts';
import { setUserPassword } from './user/password.ts';
import { recreateUser } from './user/recreate.ts';
import { updateUser } from './user/update.ts';
import { cloneReplica, cloneVm } from './vm/clone.ts';
import { configureVm } from './vm/configure.ts';
import { deleteVm } from './vm/delete.ts';
import { markVm } from './vm/mark.ts';
import { migrateVm } from './vm/migrate.ts';
import { rebootVm } from './vm/reboot.ts';
import { resumeVm } from './vm/resume.ts';
import { shutdownVm } from './vm/shutdown.ts';
import { suspendVm } from './vm/suspend.ts';
import { rollbackVm } from './vm/rollback.ts';
import { deleteSnapshot, snapshotVm } from './vm/snapshot.ts';
import { startVm } from './vm/start.ts';
import { stopVm } from './vm/stop.ts';
import { unprotectVm } from './vm/unprotect.ts';

export const handlers: Handlers = {
  'user.create': createUser,
  'pool.create': createPool,
  'pool.update': updatePool,
  'pool.join': joinPool,
  'role.create': createRole,
  'acl.grant': grantAcl,
  'bridge.create': createBridge,
  'bridge.update': updateBridge,
  'network.reload': reloadNetwork,
  'template.clone': cloneReplica,
  'template.configure': configureReplica,
  'template.migrate': migrateReplica,
  'template.convert': convertReplica,
  'template.join': joinReplica,
  'vm.clone': cloneVm,
  'vm.mark': markVm,
  'vm.seal': sealVm,
  'vm.configure': configureVm,
  'vm.snapshot': snapshotVm,
  'vm.snapshot.delete': deleteSnapshot,
  'vm.rollback': rollbackVm,
  'vm.start': startVm,
  'acl.revoke': revokeAcl,
  'vm.stop': stopVm,
  'vm.shutdown': shutdownVm,
  'vm.reboot': rebootVm,
  'vm.suspend': suspendVm,
  'vm.resume': resumeVm,
  'vm.unprotect': unprotectVm,
  'ha.remove': removeFromHa,
  'vm.delete': deleteVm,
  'bridge.delete': deleteBridge,
  'pool.leave': leavePool,
  'pool.release': releasePool,
  'pool.delete': deletePool,
  'user.delete': deleteUser,
  'user.update': updateUser,
  'user.password': setUserPassword,
  'user.recreate': recreateUser,
  'vm.migrate': migrateVm,
};
