/**
 * A cluster for the tests of handlers: the true simulator and the true client in this process, in virtual time. What a
 * test needs of PVE's state is in its scenario, or is done by `admin`, somebody else at the same cluster. All construction
 * is here.
 */
import { afterwards } from '../cleanups.ts';
import { sentWords } from '../sent-words.ts';
import { setMaxListeners } from 'node:events';
import type { Clock } from '../../src/lib/clock.ts';
import { Ownership } from '../../src/lib/execute/ask-ownership.ts';
import { RemovalPace } from '../../src/lib/execute/removal-pace.ts';
import { ownershipReads } from '../../src/lib/workflow/run.ts';
import type { GuestReads, NodeAnswers, Retry, RunIo, Seals, StepIo } from '../../src/lib/execute/types.ts';
import { createPveClient, type PveClient } from '../../src/lib/proxmox/client.ts';
import { PveHttp, type HttpOptions } from '../../src/lib/proxmox/http.ts';
import { inProcess, type Serve } from '../../src/lib/proxmox/transports/in-process.ts';
import { NotSent, type Outgoing } from '../../src/lib/proxmox/transports/types.ts';
import { createTaskWaiter } from '../../src/lib/proxmox/tasks.ts';
import type { ConnectionSettings, NetworkRow } from '../../src/lib/proxmox/types.ts';
import type { RequestFault } from '../../src/lib/simulator/faults.ts';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import type { ScenarioGuest, ScenarioNode } from '../../src/lib/simulator/scenario-types.ts';
import { createSimulator, type BareSimulator } from '../../src/lib/simulator/simulator.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import { VirtualTime } from '../../src/lib/simulator/time/virtual-time.ts';

export const START = '2026-01-15T09:00:00Z';
/** Servers whose answers differ in what handlers use. */
export const VERSIONS = ['7.4', '8.4', '9.2'] as const;

export interface Time {
  readonly clock: Clock;
  /** Lets time pass until the work is settled. */
  readonly drive: <T>(work: Promise<T>) => Promise<T>;
}

/** Ends with the test: a run that nobody waits for any more would go on in the tests that follow. */
function startTime(): VirtualTime {
  const time = new VirtualTime(Date.parse(START));
  afterwards(() => time.stop());
  return time;
}

/** Virtual time alone, for tests without a cluster. */
export function virtualTime(): Time {
  const time = startTime();
  return { clock: time.clock, drive: (work) => work };
}

/** `token`: root@pam's API token, who may all but what PVE keeps for root's ticket; `root`: that ticket. */
export type Login = 'token' | 'root' | { readonly user: string; readonly password: string };

const BASE: Scenario = {
  version: '8.4',
  clock: { start: START },
  nodes: [{ name: 'pve1' }, { name: 'pve2' }, { name: 'pve3' }],
  storages: [
    { id: 'nfs', type: 'nfs' },
    { id: 'zfs', type: 'zfspool' },
    { id: 'local', type: 'dir', content: ['iso', 'vztmpl'] },
  ],
};

/** The three nodes, the first of them like this. */
export function onPve1(node: Omit<ScenarioNode, 'name'>): Partial<Scenario> {
  return { nodes: [{ name: 'pve1', ...node }, { name: 'pve2' }, { name: 'pve3' }] };
}

/** A VM that is switched off. */
export function vm(vmid: number, node: string, more: Partial<ScenarioGuest> = {}): ScenarioGuest {
  return { vmid, node, name: `vm${vmid}`, storage: 'nfs', running: false, ...more };
}

/** As drawn while applying, but the same in each test. */
export function sealOf(vmid: number): string {
  return String(vmid).padStart(32, '0');
}

type Place = readonly [method: string, path: string];

/** `nth`: of the requests that match from now on. */
const at = ([method, path]: Place, nth = 1) => ({ match: { method, path }, nth });

/** The connection is cut, before PVE has seen the request or after it was carried out. */
export const lost = (place: Place, when: 'before' | 'after', nth?: number): RequestFault => ({
  ...at(place, nth),
  action: `drop-${when}`,
});

export const refused = (place: Place, text: string, status = 500, nth?: number): RequestFault => ({
  ...at(place, nth),
  action: 'fail',
  status,
  text,
});

/** PVE could not get one of its locks in time. */
export const busy = (place: Place, lock = 'file-user_cfg', nth?: number): RequestFault =>
  refused(place, `update failed: cfs-lock '${lock}' error: got lock request timeout`, 500, nth);

/** The task that the request starts ends like this; unless it is a good end, nothing was done. */
export const taskEnds = (place: Place, exitstatus: string, nth?: number): RequestFault => ({
  ...at(place, nth),
  action: 'task-fail',
  exitstatus,
});

export interface Write {
  readonly method: string;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
}

interface Interjection {
  readonly place: Place;
  left: number;
  readonly act: () => unknown;
}

interface ClientOptions {
  readonly login?: Login;
  /** Milliseconds that a request and its answer are under way, each. */
  readonly delay?: () => number;
}

/** Runs of a test client are recorded, and meet interjections and cuts; those of others do not. */
type Role = 'run' | 'other';

export class PveWorld {
  readonly clock: Clock;
  /** The run's client. */
  readonly pve: PveClient;
  /** Shared by all steps that a test applies, as in one run. */
  readonly guestReads: GuestReads = { byNode: new Map() };
  readonly nodeAnswers: NodeAnswers = new Map();
  /** Somebody else: root@pam with a password. */
  readonly admin: PveClient;
  /** The same person, for requests that the client has no method for. */
  readonly byHand: PveHttp;
  /** The run's requests that changed something, in order: those that PVE carried out, heard of or not. */
  readonly sent: Write[] = [];
  /** `GET path` of what the run asked for. */
  readonly reads: string[] = [];
  /** Steps of the run that failed or were skipped. */
  readonly undone = new Set<string>();
  /** What handlers said to people. */
  readonly told = new Set<string>();
  /** Those of the run's clones. */
  readonly seals: Seals = { of: sealOf };
  /** As whom the run says that it is logged in. */
  caller = 'root@pam!deploy';
  /** How often a handler gave its places to others. */
  asides = 0;
  readonly #time: VirtualTime;
  readonly #scenario: Scenario;
  readonly #interjections: Interjection[] = [];
  readonly #strays: unknown[] = [];
  #simulator: BareSimulator;
  #isCut = false;

  constructor(scenario: Partial<Scenario> = {}, login: Login = 'token') {
    this.#scenario = { ...BASE, ...scenario };
    this.#time = startTime();
    this.#simulator = this.#start();
    this.clock = this.#time.clock;
    this.pve = this.client({ login });
    if (typeof login === 'object') this.caller = login.user;
    const other = this.#connection({ login: 'root' }, 'other');
    this.admin = createPveClient(other);
    this.byHand = new PveHttp(other);
  }

  #start(state?: ClusterState): BareSimulator {
    const options = { scenario: this.#scenario, ...(state ? { state } : {}) };
    return createSimulator(options, () => this.#time).simulator;
  }

  /** `METHOD path` of what was sent. */
  get writes(): readonly string[] {
    return this.sent.map(({ method, path }) => `${method} ${path}`);
  }

  /** Another client of the run's side. */
  client(options: ClientOptions = {}): PveClient {
    return createPveClient(this.#connection(options, 'run'));
  }

  #connection({ login = 'token', delay }: ClientOptions, role: Role): HttpOptions {
    return {
      connection: {
        name: 'sim',
        hosts: ['https://pve.simulated'],
        auth: this.#authOf(login),
        tls: { verify: true },
        timeout: 60_000,
      },
      clock: this.clock,
      connect: (host, options) => ({
        host,
        close: () => undefined,
        send: (request, signal) => {
          if (role === 'run' && this.#isCut)
            throw new NotSent([{ kind: 'said', words: 'connect ECONNREFUSED' }]);
          const serve: Serve = async (wire) => {
            if (delay) await this.#time.sleep(delay());
            const answer =
              role === 'run' ? await this.#hear(request, wire) : await this.#simulator.serve(wire);
            if (delay) await this.#time.sleep(delay());
            return answer;
          };
          return inProcess(serve, this.#time)(host, options).send(request, signal);
        },
      }),
    };
  }

  #authOf(login: Login): ConnectionSettings['auth'] {
    const { tokenId, secret, user, password } = this.#simulator.credentials;
    if (login === 'token') return { kind: 'token', tokenId, secret };
    return { kind: 'password', ...(login === 'root' ? { user, password } : login) };
  }

  async #hear({ method, path, params }: Outgoing, wire: Parameters<Serve>[0]): ReturnType<Serve> {
    const plain = decodeURIComponent(path);
    if (method === 'GET') this.reads.push(`GET ${plain}`);
    await this.#interject(method, plain);
    const answer = await this.#simulator.serve(wire);
    if (method !== 'GET' && plain !== '/access/ticket' && answer.status === 200)
      this.sent.push({ method, path: plain, params: sentWords(params) });
    return answer;
  }

  async #interject(method: string, path: string): Promise<void> {
    for (const one of this.#interjections) {
      if (one.place[0] !== method || one.place[1] !== path || one.left === 0) continue;
      one.left -= 1;
      if (one.left === 0) await one.act();
    }
  }

  fault(...faults: readonly RequestFault[]): this {
    for (const fault of faults) this.#simulator.addFault(fault);
    return this;
  }

  /** Right before the run's n-th such request (concrete path) reaches PVE. */
  before(place: Place, act: () => unknown, nth = 1): this {
    this.#interjections.push({ place, left: nth, act });
    return this;
  }

  /** Somebody does something in so many seconds. Its trouble is the test's. */
  later(seconds: number, act: () => unknown): this {
    this.#time.at(this.clock.now() + seconds * 1000, () => this.begin(act));
    return this;
  }

  /** Somebody begins something that is not waited for. */
  begin(act: () => unknown): void {
    void Promise.resolve()
      .then(act)
      .catch((error: unknown) => this.#strays.push(error));
  }

  /** Nothing of the run's side gets through to PVE. */
  cut(isCut: boolean): void {
    this.#isCut = isCut;
  }

  powerOff(node: string, afterSeconds = 0): void {
    this.#simulator.addFault({ action: 'node-offline', node, afterSeconds });
  }

  /** HA's manager forgets what it was asked for and has not begun; tasks go on. */
  forgetPlans(): void {
    const state = this.#simulator.snapshot();
    this.#simulator = this.#start(state);
  }

  /** Somebody takes the VM's lock off. */
  unlock(node: string, vmid: number): Promise<unknown> {
    return this.byHand.put(`/nodes/${node}/qemu/${vmid}/config`, { delete: 'lock', skiplock: true });
  }

  async drive<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } finally {
      if (this.#strays.length > 0) throw this.#strays[0];
    }
  }

  pass(seconds: number): Promise<void> {
    return this.drive(this.clock.sleep(seconds * 1000));
  }

  /** Seconds since then. */
  since(moment: number): number {
    return (this.clock.now() - moment) / 1000;
  }

  io(secrets: Partial<RunIo['secrets']> = {}): StepIo & { readonly retries: Retry[] } {
    const retries: Retry[] = [];
    const { signal } = new AbortController();
    setMaxListeners(0, signal);
    return {
      pve: this.pve,
      tasks: createTaskWaiter(this.pve, this.clock),
      clock: this.clock,
      signal,
      caller: this.caller,
      secrets: secrets as RunIo['secrets'], // a handler that asks for another fails
      seals: this.seals,
      ownership: new Ownership(
        ownershipReads({ pve: this.pve, hard: signal, caller: this.caller }),
        this.clock,
        signal,
      ),
      exclusively: (work) => work(this.clock.now()),
      assertNobodyPlanned: () => Promise.resolve(),
      onRetry: (retry) => retries.push(retry),
      reach: new Map(),
      nodeAnswers: this.nodeAnswers,
      guestReads: this.guestReads,
      removals: new RemovalPace(this.clock),
      leavePlace: () => undefined,
      tell: (text) => void this.told.add(text),
      isUndone: (id) => this.undone.has(id),
      stepAside: (wait) => {
        this.asides += 1;
        return wait();
      },
      retries,
    };
  }

  state(): ClusterState {
    return this.#simulator.snapshot();
  }

  guest(vmid: number): ClusterState['guests'][number] | undefined {
    return this.state().guests.find((guest) => guest.vmid === vmid);
  }

  /** Its configuration; none: there is no such VM on that node. */
  config(node: string, vmid: number): Readonly<Record<string, string>> | undefined {
    const guest = this.guest(vmid);
    return guest?.node === node ? guest.config : undefined;
  }

  isRunning(vmid: number): boolean {
    return this.guest(vmid)?.runningSince !== undefined;
  }

  pool(pool: string): { readonly comment: string; readonly vmids: readonly number[] } | undefined {
    const found = this.state().pools.find(({ poolid }) => poolid === pool);
    return found && { comment: found.comment, vmids: [...found.vms].sort((a, b) => a - b) };
  }

  /** All but root@pam. */
  users(): ClusterState['users'] {
    return this.state().users.filter(({ userid }) => userid !== 'root@pam');
  }

  /** Does PVE let this user in with this password? */
  async canLogIn(userid: string, password: string): Promise<boolean> {
    const login = { user: userid, password };
    const client = createPveClient(this.#connection({ login }, 'other'));
    return this.drive(
      client.permissions().then(
        () => true,
        () => false,
      ),
    );
  }

  grants(): string[] {
    return this.state().acl.map(({ path, role, subject, propagate }) =>
      [path, role, subject, String(propagate)].join(' '),
    );
  }

  haVmids(): number[] {
    return this.state().ha.resources.map(({ sid }) => Number(sid.split(':')[1]));
  }

  /** Bridges in the file as it is staged, and how it differs from the one in force. */
  async network(node = 'pve1'): Promise<{ rows: readonly NetworkRow[]; changes: string }> {
    const { rows, changes } = await this.drive(this.admin.network(node));
    return { rows: rows.filter(({ type }) => type === 'bridge'), changes };
  }

  async bridges(node = 'pve1'): Promise<string[]> {
    return (await this.network(node)).rows.map(({ iface }) => iface);
  }
}
