/** A small in-memory PVE for handler tests: objects, tasks that take time, and faults before or after processing. */
import type { RunIo, StepIo, Retry } from '../../src/lib/execute/types.ts';
import { AnswerLostError, AuthError, PveError, TaskError } from '../../src/lib/proxmox/errors.ts';
import type { ConfigValues, NetworkRow, NewUser, PveApi, TaskRow } from '../../src/lib/proxmox/types.ts';
import { VirtualClock } from './virtual-clock.ts';

/** What `fault` takes after the method's name. */
export type FaultSpec = readonly [error: Error, when: 'before' | 'after'];

interface Fault {
  readonly method: string;
  /** `before`: PVE never saw the request. `after`: it was carried out, the answer did not come. */
  readonly when: 'before' | 'after';
  readonly error: Error;
}

interface FakeTask {
  readonly row: TaskRow;
  readonly endsAt: number;
  readonly finish: () => string;
  exitstatus?: string;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** These return `Error`: the classes differ too little for mixed tables. */
export function refuse(text: string, fields?: Readonly<Record<string, string>>, status = 500): Error {
  return new PveError({ method: 'POST', path: '/fake', status, text, ...(fields ? { fields } : {}) });
}

export const lost = (): Error => new AnswerLostError('POST /fake', 'socket hang up');

export const lockTimeout = (lock = 'file-user_cfg'): Error =>
  refuse(`update failed: cfs-lock '${lock}' error: got lock request timeout`);

export class FakePve {
  readonly clock: VirtualClock;
  readonly users: (NewUser & { comment: string })[] = [];
  readonly pools = new Map<string, { comment: string; vmids: Set<number> }>();
  readonly grants: string[] = [];
  /** VMs that HA manages. */
  readonly ha = new Set<number>();
  /** What `taskLog` answers. */
  readonly log: string[] = [];
  /** root@pam with a ticket. */
  isRoot = false;
  /** The caller has rights on the members of pools only. */
  isConfined = false;
  /** A clone into a pool that fails has moved its configuration to the target already. */
  leavesOnTarget = false;
  /** Steps of the run that failed or were skipped. */
  readonly undone = new Set<string>();
  /** How often a handler gave its places to others. */
  asides = 0;
  readonly rows: Writable<NetworkRow>[] = [];
  changes = '';
  /** `node/vmid` → values. */
  readonly vms = new Map<string, Record<string, string>>();
  readonly running = new Set<number>();
  readonly snapshots: string[] = [];
  readonly tasks: FakeTask[] = [];
  /** Writes that reached PVE, in order. */
  readonly writes: string[] = [];
  readonly #faults: Fault[] = [];
  /** Seconds a task takes. */
  taskSeconds = 3;
  /** How the next tasks end; then OK. */
  readonly exits: string[] = [];

  constructor(clock = new VirtualClock()) {
    this.clock = clock;
  }

  fault(method: keyof PveApi, error: Error, when: Fault['when'] = 'before'): this {
    this.#faults.push({ method, error, when });
    return this;
  }

  startTask(type: string, id: string, finish: () => string = () => 'OK', seconds = this.taskSeconds): string {
    const upid = `UPID:pve1:${this.tasks.length}:${type}:${id}:`;
    const starttime = Math.floor(this.clock.now() / 1000);
    const endsAt = this.clock.now() + seconds * 1000;
    this.tasks.push({ row: { upid, type, id, user: 'root@pam', starttime }, endsAt, finish });
    return upid;
  }

  /** Carries out what tasks have done by now. */
  #settleTasks(): void {
    for (const task of this.tasks) {
      if (task.exitstatus === undefined && task.endsAt <= this.clock.now()) task.exitstatus = task.finish();
    }
  }

  #taskEnd(onSuccess: () => void, onFailure: (exit: string) => void = () => undefined): () => string {
    const exit = this.exits.shift() ?? 'OK';
    return () => {
      if (exit === 'OK' || exit.startsWith('WARNINGS')) onSuccess();
      else onFailure(exit);
      return exit;
    };
  }

  get api(): PveApi {
    const methods = this.#methods() as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
    return new Proxy({} as PveApi, {
      get: (_target, name: string) => {
        if (name === 'serverTime') return () => new Date(this.clock.now());
        return async (...given: unknown[]) => {
          const method = methods[name];
          if (!method) throw new Error(`the fake has no ${name}`);
          await Promise.resolve();
          this.#settleTasks();
          const at = this.#faults.findIndex((fault) => fault.method === name);
          const fault = at < 0 ? undefined : this.#faults.splice(at, 1)[0];
          if (fault?.when === 'before') throw fault.error;
          const answer = await method(...given);
          if (fault) throw fault.error;
          return answer;
        };
      },
    });
  }

  io(secrets: Partial<RunIo['secrets']> = {}): StepIo & { readonly retries: Retry[] } {
    const retries: Retry[] = [];
    return {
      pve: this.api,
      tasks: { wait: (upid) => this.#wait(upid) },
      clock: this.clock,
      signal: new AbortController().signal,
      secrets: secrets as RunIo['secrets'],
      onRetry: (retry) => retries.push(retry),
      reach: new Map(),
      isUndone: (id) => this.undone.has(id),
      stepAside: (wait) => {
        this.asides += 1;
        return wait();
      },
      retries,
    };
  }

  async #wait(upid: string): Promise<{ warnings: boolean }> {
    const task = this.tasks.find(({ row }) => row.upid === upid);
    if (!task) throw new Error(`no task ${upid}`);
    if (task.endsAt > this.clock.now()) await this.clock.sleep(task.endsAt - this.clock.now());
    this.#settleTasks();
    const exitstatus = task.exitstatus ?? 'unexpected status';
    if (exitstatus === 'OK') return { warnings: false };
    if (exitstatus.startsWith('WARNINGS')) return { warnings: true };
    throw new TaskError({ upid, title: task.row.type, exitstatus, log: [`TASK ERROR: ${exitstatus}`] });
  }

  #methods(): Partial<PveApi> {
    return {
      users: () =>
        Promise.resolve(
          this.users.map((user) => ({
            enabled: true,
            expire: 0,
            email: '',
            firstName: '',
            lastName: '',
            ...user,
          })),
        ),
      createUser: (user) => {
        if (this.users.some(({ userid }) => userid === user.userid))
          throw refuse(`create user failed: user '${user.userid}' already exists`);
        this.users.push(user);
        this.writes.push(`createUser ${user.userid}`);
        return Promise.resolve();
      },
      updateUser: (userid, change) => {
        const user = this.users.find((candidate) => candidate.userid === userid);
        if (!user) throw refuse(`update user failed: no such user ('${userid}')`);
        Object.assign(user, change);
        this.writes.push(`updateUser ${userid} ${Object.keys(change).join(',')}`);
        return Promise.resolve();
      },
      setPassword: (userid, password) => {
        const user = this.users.find((candidate) => candidate.userid === userid);
        if (!user) throw refuse(`no such user ('${userid}')`);
        Object.assign(user, { password });
        this.writes.push(`setPassword ${userid}`);
        return Promise.resolve();
      },
      user: (userid) => Promise.resolve(this.users.find((user) => user.userid === userid)),
      deleteUser: (userid) => {
        const at = this.users.findIndex((user) => user.userid === userid);
        if (at < 0) throw refuse(`delete user failed: no such user ('${userid}')`);
        this.users.splice(at, 1);
        this.writes.push(`deleteUser ${userid}`);
        return Promise.resolve();
      },
      resources: () =>
        Promise.resolve(
          [...this.vms.keys()].map((key) => {
            const [node = '', vmid = ''] = key.split('/');
            return { id: `qemu/${vmid}`, type: 'qemu', node, vmid: Number(vmid) };
          }),
        ),
      removeHaResource: (vmid) => {
        if (!this.ha.delete(vmid)) throw refuse(`cannot delete service 'vm:${vmid}', not HA managed!`);
        this.writes.push(`removeHaResource ${vmid}`);
        return Promise.resolve();
      },
      pool: (pool) => {
        const found = this.pools.get(pool);
        const exists = (vmid: number) => [...this.vms.keys()].some((key) => key.endsWith(`/${vmid}`));
        return Promise.resolve(
          found && { comment: found.comment, vmids: [...found.vmids].filter((vmid) => exists(vmid)) },
        );
      },
      pools: () => Promise.resolve([...this.pools].map(([pool, { comment }]) => ({ pool, comment }))),
      createPool: (pool, comment) => {
        if (this.pools.has(pool)) throw refuse(`create pool failed: pool '${pool}' already exists`);
        this.pools.set(pool, { comment, vmids: new Set() });
        this.writes.push(`createPool ${pool}`);
        return Promise.resolve();
      },
      updatePool: (pool, { comment, addVmids = [], removeVmids = [] }) => {
        const found = this.pools.get(pool);
        if (!found) throw refuse(`update pools failed: pool '${pool}' does not exist`);
        for (const vmid of addVmids) {
          for (const [name, other] of this.pools) {
            if (!other.vmids.has(vmid)) continue;
            throw refuse(
              name === pool
                ? `update pools failed: VM ${vmid} is already a pool member`
                : `update pools failed: VM ${vmid} belongs already to pool '${name}' and 'allow-move' is not set`,
            );
          }
        }
        for (const vmid of removeVmids)
          if (!found.vmids.has(vmid)) throw refuse(`update pools failed: VM ${vmid} is not a pool member`);
        if (comment !== undefined) found.comment = comment;
        for (const vmid of addVmids) found.vmids.add(vmid);
        for (const vmid of removeVmids) found.vmids.delete(vmid);
        const change = removeVmids.length > 0 ? `-${removeVmids.join(',')}` : `+${addVmids.join(',')}`;
        this.writes.push(`updatePool ${pool} ${change}`);
        return Promise.resolve();
      },
      deletePool: (pool) => {
        if (!this.pools.delete(pool)) throw refuse(`delete pool failed: pool '${pool}' does not exist`);
        this.writes.push(`deletePool ${pool}`);
        return Promise.resolve();
      },
      grant: ({ path, role, userid, propagate }) => {
        this.grants.push(`${path} ${role} ${userid} ${String(propagate)}`);
        return Promise.resolve();
      },
      revoke: ({ path, role, userid }) => {
        const left = this.grants.filter((grant) => !grant.startsWith(`${path} ${role} ${userid} `));
        this.grants.splice(0, this.grants.length, ...left);
        this.writes.push(`revoke ${path} ${role} ${userid}`);
        return Promise.resolve();
      },
      network: () => Promise.resolve({ rows: this.rows, changes: this.changes }),
      createBridge: (_node, { iface, vlanAware, comment }) => {
        if (this.rows.some((row) => row.iface === iface))
          throw refuse('Parameter verification failed.', { iface: 'interface already exists' }, 400);
        // The interfaces file keeps comments line by line, so that a newline comes back at the end.
        const comments = `${comment}\n`;
        this.rows.push({ iface, type: 'bridge', active: false, vlanAware, ports: '', comments });
        this.writes.push(`createBridge ${iface}`);
        return Promise.resolve();
      },
      updateBridge: (_node, { iface, vlanAware, comment }) => {
        const row = this.rows.find((candidate) => candidate.iface === iface);
        if (row) Object.assign(row, { ...(vlanAware ? { vlanAware } : {}), comments: `${comment}\n` });
        this.writes.push(`updateBridge ${iface}`);
        return Promise.resolve();
      },
      deleteBridge: (_node, iface) => {
        const at = this.rows.findIndex((row) => row.iface === iface);
        if (at < 0)
          throw refuse('Parameter verification failed.', { iface: 'interface does not exist' }, 400);
        this.rows.splice(at, 1);
        this.writes.push(`deleteBridge ${iface}`);
        return Promise.resolve();
      },
      reloadNetwork: () => {
        this.writes.push('reload');
        const finish = this.#taskEnd(
          () => {
            for (const row of this.rows) row.active = true;
            this.changes = '';
          },
          // A failed ifreload has consumed the staged file all the same.
          () => void (this.changes = ''),
        );
        return Promise.resolve(this.startTask('srvreload', 'networking', finish));
      },
      isVmidFree: (vmid) => Promise.resolve(![...this.vms.keys()].some((key) => key.endsWith(`/${vmid}`))),
      vmConfig: (node, vmid) => {
        this.#allow(vmid);
        return Promise.resolve(this.vms.get(`${node}/${vmid}`));
      },
      cloneVm: (request) => {
        const { node, target, vmid, name, description } = request;
        const here = `${node}/${vmid}`;
        if (this.vms.has(here)) throw refuse(`unable to create VM ${vmid}: config file already exists`);
        // The id space is the cluster's: on another node it shows only inside the task (pmxcfs memdb).
        const exists = `clone failed: close (rename) atomic file '${vmid}.conf' failed: File exists`;
        if ([...this.vms.keys()].some((key) => key.endsWith(`/${vmid}`)))
          return Promise.resolve(this.startTask('qmclone', String(request.templateVmid), () => exists));
        this.writes.push(`clone ${vmid}`);
        this.vms.set(here, { lock: 'clone', description: 'qmclone temporary file' });
        const finish = this.#taskEnd(
          () => {
            this.vms.delete(here);
            this.vms.set(`${target}/${vmid}`, { name, description: `${description}\n`, digest: 'd1' });
            if (request.pool !== undefined) this.pools.get(request.pool)?.vmids.add(vmid);
          },
          () => {
            this.vms.delete(here);
            if (this.leavesOnTarget) this.vms.set(`${target}/${vmid}`, { name, description, digest: 'd1' });
          },
        );
        return Promise.resolve(this.startTask('qmclone', String(request.templateVmid), finish));
      },
      updateVmConfig: (node, vmid, { set, remove, digest }) => {
        const values = this.#guest(node, vmid);
        if (digest !== undefined && digest !== values['digest'])
          throw refuse('checksum mismatch (file change by other user?)');
        for (const key of remove) Reflect.deleteProperty(values, key);
        Object.assign(values, set, { digest: `${values['digest'] ?? ''}+` });
        this.writes.push(`configure ${vmid}`);
        return Promise.resolve();
      },
      snapshots: () => Promise.resolve(this.snapshots),
      snapshotVm: (_node, vmid, snapshot) => {
        this.writes.push(`snapshot ${vmid} ${snapshot}`);
        const isUsed = this.snapshots.includes(snapshot);
        if (isUsed) this.exits.unshift(`snapshot name '${snapshot}' already used`);
        const finish = this.#taskEnd(() => this.snapshots.push(snapshot));
        return Promise.resolve(this.startTask('qmsnapshot', String(vmid), finish));
      },
      convertToTemplate: (node, vmid) => {
        const values = this.#guest(node, vmid);
        if (values['template'] === '1') throw refuse("you can't convert a template to a template");
        this.writes.push(`convert ${vmid}`);
        const finish = this.#taskEnd(() => Object.assign(values, { template: '1' }));
        return Promise.resolve(this.startTask('qmtemplate', String(vmid), finish));
      },
      startVm: (_node, vmid) => {
        this.writes.push(`start ${vmid}`);
        if (this.running.has(vmid)) this.exits.unshift(`VM ${vmid} already running`);
        const finish = this.#taskEnd(() => this.running.add(vmid));
        return Promise.resolve(this.startTask('qmstart', String(vmid), finish));
      },
      stopVm: (node, vmid) => {
        this.#guest(node, vmid);
        this.writes.push(`stop ${vmid}`);
        if (!this.ha.has(vmid)) {
          const finish = this.#taskEnd(() => this.running.delete(vmid));
          return Promise.resolve(this.startTask('qmstop', String(vmid), finish));
        }
        const upid = this.startTask('hastop', String(vmid), undefined, 0);
        this.startTask('ha manager', '', () => String(this.running.delete(vmid)), 15);
        return Promise.resolve(upid);
      },
      deleteVm: (node, vmid, { purge, skipLock = false }) => {
        const key = `${node}/${vmid}`;
        const values = this.#guest(node, vmid);
        if (values['protection'] === '1') throw refuse(`can't remove VM ${vmid} - protection mode enabled`);
        if (skipLock && !this.isRoot)
          throw refuse('Parameter verification failed.', { skiplock: 'Only root may use this option.' }, 400);
        if (this.running.has(vmid)) throw refuse(`VM ${vmid} is running - destroy failed`);
        this.writes.push(`deleteVm ${vmid}${purge ? ' purge' : ''}${skipLock ? ' skiplock' : ''}`);
        const lock = skipLock ? undefined : values['lock'];
        if (lock !== undefined) this.exits.unshift(`VM is locked (${lock})`);
        const finish = this.#taskEnd(
          () => {
            this.vms.delete(key);
            for (const { vmids } of this.pools.values()) vmids.delete(vmid);
          },
          (exit) => {
            // The disks are gone by then.
            if (exit.includes('file-user_cfg')) this.vms.set(key, { lock: 'destroyed' });
          },
        );
        return Promise.resolve(this.startTask('qmdestroy', String(vmid), finish));
      },
      migrateVm: ({ node, vmid, target, targetStorage }) => {
        const values = this.#guest(node, vmid);
        this.writes.push(
          `migrate ${[vmid, node, target, ...(targetStorage === undefined ? [] : [targetStorage])].join(' ')}`,
        );
        const arrive = () => {
          this.vms.delete(`${node}/${vmid}`);
          this.vms.set(`${target}/${vmid}`, values);
        };
        const move = (seconds?: number) =>
          this.startTask(
            'qmigrate',
            String(vmid),
            this.#taskEnd(arrive, (exit) => {
              // After the hand-over something went wrong: it has moved all the same.
              if (exit === 'migration problems') arrive();
            }),
            seconds,
          );
        if (!this.ha.has(vmid)) return Promise.resolve(move());
        const upid = this.startTask('hamigrate', String(vmid), undefined, 0);
        // HA's manager takes its time, and makes a task of its own.
        this.startTask('ha manager', '', () => move(5), 12);
        return Promise.resolve(upid);
      },
      taskLog: () => Promise.resolve(this.log),
      vmStatus: (node, vmid) => {
        this.#guest(node, vmid);
        return Promise.resolve({ status: this.running.has(vmid) ? 'running' : 'stopped' });
      },
      tasks: (_node, { source, type, vmid }) =>
        Promise.resolve(
          this.tasks
            .filter(({ exitstatus }) => (exitstatus === undefined) === (source === 'active'))
            .filter(({ row }) => !type || row.type === type)
            .filter(({ row }) => vmid === undefined || row.id === String(vmid))
            .map(({ row, exitstatus }) => (exitstatus === undefined ? row : { ...row, status: exitstatus })),
        ),
    };
  }

  /** PVE asks for the right before it looks whether there is such a VM. */
  #allow(vmid: number): void {
    const isMember = [...this.pools.values()].some(
      ({ vmids }) => vmids.has(vmid) && [...this.vms.keys()].some((key) => key.endsWith(`/${vmid}`)),
    );
    if (!this.isConfined || isMember) return;
    const missing = { aclPath: `/vms/${vmid}`, privilege: 'VM.Audit' };
    const text = `Permission check failed (/vms/${vmid}, VM.Audit)`;
    throw new AuthError({ method: 'GET', path: '/fake', status: 403, text }, missing);
  }

  #guest(node: string, vmid: number): Record<string, string> {
    this.#allow(vmid);
    const values = this.vms.get(`${node}/${vmid}`);
    if (values) return values;
    throw refuse(`Configuration file 'nodes/${node}/qemu-server/${vmid}.conf' does not exist`);
  }

  vm(key: string): ConfigValues {
    const values = this.vms.get(key);
    if (!values) throw new Error(`no VM ${key}`);
    return values;
  }
}
