/**
 * Mistakes that a tired author could make, each with a consequence. Every one of them must turn a test red.
 *
 * `find` is the exact text, once in the file; `instead` takes its place. Chosen for what they would break, not for
 * what the tests look at: one that survives calls for a test, not for another mutation.
 */

/** @typedef {{ of: 'planner' | 'executor' | 'client', file: string, find: string, instead: string, why: string }} Mutation */

/** @type {readonly Mutation[]} */
export const mutations = [
  // The planner.
  {
    of: 'planner',
    file: 'src/lib/plan/allocation.ts',
    find: 'for (const claim of mark.claims) for (const vmid of claim.vmids) used.add(vmid);',
    instead:
      'for (const claim of mark.claims) for (const vmid of claim.vmids) if (index.guests.has(vmid)) used.add(vmid);',
    why: 'an id that another class has claimed and not cloned yet is given out a second time',
  },
  {
    of: 'planner',
    file: 'src/lib/plan/allocation.ts',
    find: 'if (next > last) return undefined;',
    instead: 'if (next >= last) return undefined;',
    why: 'the last id of the range is never used: a range of exactly the size of the class is too small',
  },
  {
    of: 'planner',
    file: 'src/lib/plan/network/numbers.ts',
    find: 'for (const config of [...have.vms, ...have.templates]) {',
    instead: 'for (const config of have.vms) {',
    why: 'a bridge that a template names is given to a student, and each clone of the template is on it',
  },
  {
    of: 'planner',
    file: 'src/lib/plan/network/may-go.ts',
    find: "if (addresses.length > 0) return { code: 'address', addresses };",
    instead: '',
    why: 'the bridge by which an administrator reaches a host, or a router its class, is removed with a stand',
  },
  {
    of: 'executor',
    file: 'src/lib/execute/handlers/naming-guests.ts',
    find: '[...bridgesIn(found.now), ...bridgesIn(found.next)]',
    instead: '[...bridgesIn(found.next)]',
    why: 'a bridge that PVE does not list, and a running machine is on, is given to a student',
  },
  {
    of: 'planner',
    file: 'src/lib/marks/vmid-ranges.ts',
    find: 'const sorted = [...new Set(vmids)].sort((a, b) => a - b);',
    instead: 'const sorted = [...new Set(vmids)].sort();',
    why: 'ids of different length are sorted as words: 10000 before 9999, and a claim reads otherwise each time',
  },
  {
    of: 'planner',
    file: 'src/lib/plan/network/may-go.ts',
    find: "return unreadable.length > 0 ? { code: 'guests-unreadable', vmids: unreadable } : undefined;",
    instead: 'return undefined;',
    why: 'a bridge is removed although a guest whose configuration cannot be read may be on it',
  },
  {
    of: 'planner',
    file: 'src/lib/plan/cleanup-stand.ts',
    find: 'mark.adopted ||\n    foreign.length > 0 ||\n',
    instead: 'mark.adopted ||\n',
    why: 'a pool that holds VMs of somebody else is to be deleted',
  },
  {
    of: 'planner',
    file: 'src/lib/plan/cleanup-stand.ts',
    find: '    .filter(({ path, role }) => !kept.has(`${path} ${role}`))\n',
    instead: '',
    why: 'cleanup takes away rights that the user had before the pool was adopted',
  },
  {
    of: 'planner',
    file: 'src/lib/marks/time.ts',
    find: 'return !Number.isNaN(at) && Date.parse(now) - at >= seconds * 1000;',
    instead: 'return Number.isNaN(at) || Date.parse(now) - at >= seconds * 1000;',
    why: 'what has no readable age counts as old, and is removed as an orphan',
  },
  {
    of: 'planner',
    file: 'src/lib/plan/capacity.ts',
    find: 'before: Math.max(up, node.memoryUsed) + toCome,',
    instead: 'before: up + toCome,',
    why: 'memory that ZFS or Ceph takes is promised to students, and the node runs out of it',
  },
  {
    of: 'planner',
    file: 'src/lib/plan/network/shared-steps.ts',
    find: 'reason: why, after: [...shared.creates, ...edits].map((step) => step.id) },',
    instead: 'reason: why, dependsOn: [...shared.creates, ...edits].map((step) => step.id) },',
    why: 'one bridge that fails keeps the bridges of all other students of the node down',
  },
  {
    of: 'planner',
    file: 'src/lib/plan/clone-rules.ts',
    find: 'if (!storages.get(`${target}/${volume.storage}`)?.active) {',
    instead: 'if (!storages.has(`${target}/${volume.storage}`)) {',
    why: 'a node whose shared storage is offline gets stands, and every clone there fails',
  },
  {
    of: 'planner',
    file: 'src/lib/pve-values/version.ts',
    find: '(left[0] - right[0] || left[1] - right[1]) < 0',
    instead: '(left[0] < right[0] || left[1] < right[1])',
    why: 'QEMU 10.0 counts as older than 9.2: nothing may move onto upgraded nodes',
  },

  // Handlers and executor.
  {
    of: 'executor',
    file: 'src/lib/execute/retry.ts',
    find: "if (error instanceof AnswerLostError && (await persist(io, id, look)) === 'done') return 'already-done';",
    instead: '',
    why: 'a write whose answer was lost is repeated without a look at what became of it',
  },
  {
    of: 'executor',
    file: 'src/lib/execute/retry.ts',
    find: "if (isLockTimeout(error) || isReloadBusy(error)) return 'busy';",
    instead: "if (isLockTimeout(error)) return 'busy';",
    why: 'a reload that meets another one fails instead of waiting for it',
  },
  {
    of: 'executor',
    file: 'src/lib/execute/scheduler.ts',
    find: 'if (must && because !== undefined)',
    instead: 'if (because !== undefined)',
    why: 'a step that only comes after another one is skipped when that one fails',
  },
  {
    of: 'executor',
    file: 'src/lib/plan/document/step-traits.ts',
    find: "'bridge.create': { effect: 'creates', roles: ['reserves'], limits: network },",
    instead: "'bridge.create': { effect: 'creates', roles: [], limits: network },",
    why: 'the planning lock is given back before the bridges are there: another run takes the same numbers',
  },
  {
    of: 'executor',
    file: 'src/lib/execute/limits.ts',
    find: "'user.cfg': { start: 1, max: 1 },",
    instead: "'user.cfg': { start: 4, max: 4 },",
    why: 'our own writes compete for the lock of user.cfg, and time out in each other’s way',
  },
  {
    of: 'executor',
    file: 'src/lib/execute/mutex.ts',
    find: "if (now !== former) return 'already-done';",
    instead: '',
    why: 'an expired lock is written over although another run has taken it meanwhile: both plan',
  },
  {
    of: 'executor',
    file: 'src/lib/execute/handlers/vm-delete.ts',
    find: 'if (identity !== undefined && identity === identityOf(step.vmid, description)) return;',
    instead: 'if (identity === identityOf(step.vmid, description)) return;',
    why: 'two VMs without a mark are the same one: somebody else’s VM at that number is destroyed',
  },
  {
    of: 'executor',
    file: 'src/lib/execute/handlers/vm-config-change.ts',
    find: 'formatNic(nic, nic.mac ?? kept)',
    instead: 'formatNic(nic, nic.mac)',
    why: 'the MAC that the card has is not sent again, and PVE draws another one',
  },
  {
    of: 'executor',
    file: 'src/lib/execute/handlers/vm-config-change.ts',
    find: 'return { set, remove, ...(digest === undefined ? {} : { digest }) };',
    instead: 'return { set, remove };',
    why: 'what somebody changed between our look and our write is overwritten unseen',
  },
  {
    of: 'executor',
    file: 'src/lib/execute/handlers/network-reload.ts',
    find: '    refuseForeign(step, state);\n',
    instead: '',
    why: 'network edits that somebody else has staged are put into force',
  },
  {
    of: 'executor',
    file: 'src/lib/execute/handlers/user-create.ts',
    find: "const state = (await isOurs()) ? 'set' : 'unchanged';",
    instead: "const state = 'set';",
    why: 'the credentials file shows a password for a user that has another one',
  },
  {
    of: 'executor',
    file: 'src/lib/execute/handlers/pool-release.ts',
    find: '    assertUnused(step, present);\n',
    instead: '',
    why: 'the claim of a VM that is still there is dropped, and no cleanup finds it again',
  },

  // The client.
  {
    of: 'client',
    file: 'src/lib/proxmox/answer.ts',
    find: 'const LOST = new Set([502, 503, 504, 596, 597, 599]);',
    instead: 'const LOST = new Set([502, 503, 504, 597, 599]);',
    why: 'a connection between nodes that broke after the request counts as a refusal: nobody looks what became of it',
  },
  {
    of: 'client',
    file: 'src/lib/proxmox/answer.ts',
    find: "return asked.method === 'GET'",
    instead: "return asked.method !== 'POST'",
    why: 'a PUT or DELETE without an answer is proven not to have happened, and is sent again',
  },
  {
    of: 'client',
    file: 'src/lib/proxmox/errors.ts',
    find: 'return !(error instanceof AuthError) && says(error, /does not exist|\\bno such\\b/i);',
    instead: 'return says(error, /does not exist|\\bno such\\b/i);',
    why: 'a refused login ("no such user", of the caller) is taken for an object that is gone',
  },
  {
    of: 'client',
    file: 'src/lib/pve-values/task-status.ts',
    find: "return status === 'OK' || status?.startsWith('WARNINGS') === true;",
    instead: "return status === 'OK';",
    why: 'a task that succeeded with warnings has failed',
  },
  {
    of: 'client',
    file: 'src/lib/proxmox/tasks.ts',
    find: '    if (status.running) return false;\n',
    instead: '',
    why: 'a task that is not in the list yet counts as one that ended badly',
  },
  {
    of: 'client',
    file: 'src/lib/proxmox/transports/agents.ts',
    find: 'bare(text) === bare(seen)',
    instead: 'bare(seen).startsWith(bare(text))',
    why: 'half a fingerprint is enough, and half of one can be forged',
  },
  {
    of: 'client',
    file: 'src/lib/proxmox/ticket.ts',
    find: 'if (session && this.#ageOf(session) < RENEW_AFTER_MS) return session;',
    instead: 'if (session) return session;',
    why: 'a run of more than two hours loses its login in the middle',
  },
  {
    of: 'client',
    file: 'src/lib/proxmox/form.ts',
    find: "return encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));",
    instead: "return encodeURI(Buffer.from(text, 'utf8').toString('utf8'));",
    why: 'a password or comment with ; or & or = arrives cut, and may set another parameter',
  },
  {
    of: 'client',
    file: 'src/lib/proxmox/guest-api.ts',
    find: '    delete: remove.length > 0 ? remove : undefined,\n    digest,\n',
    instead: '    delete: remove.length > 0 ? remove : undefined,\n',
    why: 'the digest does not reach PVE, which then cannot refuse a stale write',
  },
  {
    of: 'client',
    file: 'src/lib/pve-values/version.ts',
    find: 'ownMajor > major || (ownMajor === major && ownMinor >= minor)',
    instead: 'ownMajor >= major && ownMinor >= minor',
    why: '9.0 counts as older than 8.1, and is asked in a form that it may have dropped',
  },
  {
    of: 'client',
    file: 'src/lib/proxmox/network-api.ts',
    find: 'bridge_vlan_aware: vlanAware ? true : undefined,',
    instead: 'bridge_vlan_aware: vlanAware,',
    why: 'every bridge becomes VLAN-aware, because PVE asks whether the key is there',
  },
  {
    of: 'client',
    file: 'src/lib/pve-values/network-diff.ts',
    find: 'if (matching.length === 1) return matching[0]?.iface;',
    instead: 'if (matching.length > 0) return matching[0]?.iface;',
    why: 'a staged edit out of sight is blamed on the first bridge with that comment, also when several have it',
  },
];
