/** A step says of which kind its guest is, and all that is asked and done goes down the paths of that kind. */
import { expect, test } from 'vitest';
import type { Ownership } from '../../../src/lib/execute/ask-ownership.ts';
import { handlers } from '../../../src/lib/execute/handlers/index.ts';
import type { Handler, StepIo } from '../../../src/lib/execute/types.ts';
import type { StepKind, StepPayloads } from '../../../src/lib/plan/document/step.ts';
import { createPveClient } from '../../../src/lib/proxmox/client.ts';
import { createTaskWaiter } from '../../../src/lib/proxmox/tasks.ts';
import { NoAnswer, type Outgoing } from '../../../src/lib/proxmox/transports/types.ts';
import type { GuestKind } from '../../../src/lib/pve-values/guest-kinds.ts';
import { step, VM_MARK } from '../apply-step.ts';
import { PveWorld } from '../world.ts';

const OURS = { node: 'pve1', vmid: 10001, pool: 'anna' };
const COPY = { node: 'pve1', home: 'pve1', vmid: 10001, description: VM_MARK };
const SNAPSHOT = { name: 'start', description: 'deploy-stand snapshot lab=net vmid=10001' };

/** All that act on a guest, but its migration, which says by `container` how it is moved. */
const PAYLOADS = {
  'vm.clone': {
    ...{ ...OURS, target: 'pve1', templateVmid: 100, name: 'pc', description: VM_MARK, full: true },
    locks: [],
  },
  'vm.mark': { ...OURS, description: VM_MARK, newDescription: `${VM_MARK} spec=a` },
  'vm.seal': { ...OURS, description: VM_MARK, lockWaitSeconds: 0 },
  'vm.configure': {
    ...{ ...OURS, description: `${VM_MARK} spec=abc` },
    ...{ nics: [], options: { cores: '4' }, tags: [], remove: [] },
  },
  'vm.snapshot': { ...OURS, snapshot: 'start', description: SNAPSHOT.description },
  'vm.snapshot.delete': { ...OURS, snapshot: 'start', lockWaitSeconds: 0 },
  'vm.rollback': { ...OURS, snapshot: 'start', bridges: [], power: 'keep', lockWaitSeconds: 0 },
  'vm.start': { ...OURS, lockWaitSeconds: 0 },
  'vm.shutdown': { ...OURS, timeoutSeconds: 1, force: false, lockWaitSeconds: 0 },
  'vm.stop': { ...OURS, lockWaitSeconds: 0 },
  'vm.suspend': { ...OURS, lockWaitSeconds: 0 },
  'vm.resume': { ...OURS, fromDisk: false, lockWaitSeconds: 0 },
  'vm.reboot': { ...OURS, timeoutSeconds: 1, lockWaitSeconds: 0 },
  'vm.unprotect': { ...OURS, lockWaitSeconds: 0 },
  'ha.remove': { vmid: 10001, pool: 'anna' },
  'vm.delete': { ...OURS, lockWaitSeconds: 0 },
  'template.configure': { ...COPY, options: { onboot: '0', tags: 'a' } },
  'template.convert': { ...COPY, locks: [] },
} satisfies Partial<StepPayloads>;

type Kind = keyof typeof PAYLOADS;

/** On until it is told otherwise. */
const RUNS: ReadonlySet<Kind> = new Set(['vm.stop', 'vm.reboot']);
const GONE = "Configuration file 'nodes/pve1/qemu-server/10001.conf' does not exist";

/** A cluster that has what the step needs. It hears of the first write, and its answer is lost, so that the handler looks. */
class Recorded {
  readonly asked: string[] = [];
  readonly #kind: Kind;
  #writes = 0;

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  /** A text: it fails with that. */
  answer({ method, path, params }: Outgoing): unknown {
    const told = ['typefilter', 'vmid', 'name', 'hostname'].flatMap((key) =>
      key in params ? [`${key}=${String(params[key])}`] : [],
    );
    this.asked.push([method, decodeURIComponent(path), ...told].join(' '));
    if (method !== 'GET') {
      this.#writes += 1;
      if (this.#writes === 1) throw new NoAnswer([{ kind: 'said', words: 'socket hang up' }]);
      const isTask = !path.endsWith('/config');
      return isTask ? { data: 'UPID:pve1:00000001:00000001:00000001:x:10001:root@pam:' } : { data: null };
    }
    if (path === '/version') return { data: { version: '8.4.1', release: '8.4' } };
    if (path.startsWith('/pools'))
      return { data: [{ poolid: 'anna', members: [{ vmid: 10001, type: 'qemu' }] }] };
    if (path.endsWith('/config')) {
      const isThere = this.#kind !== 'vm.clone' || this.#writes > 1;
      return isThere ? { data: { description: VM_MARK, digest: 'a', protection: 1 } } : GONE;
    }
    if (path.endsWith('/current')) return { data: this.#power() };
    if (path.endsWith('/snapshot')) return { data: [SNAPSHOT] };
    return { data: path.endsWith('/status') ? { status: 'stopped', exitstatus: 'OK' } : [] };
  }

  #power() {
    const isOn = RUNS.has(this.#kind) && (this.#writes < 2 || this.#kind === 'vm.reboot');
    return { status: isOn ? 'running' : 'stopped', uptime: this.#writes < 2 ? 5000 : 0 };
  }
}

/** What it asks of PVE, in order. */
async function askedBy(kind: Kind, type?: GuestKind): Promise<string[]> {
  const world = new PveWorld();
  const recorded = new Recorded(kind);
  const pve = createPveClient({
    clock: world.clock,
    connection: {
      ...{ name: 'sim', hosts: ['https://pve.simulated'], tls: { verify: true }, timeout: 60_000 },
      auth: { kind: 'token', tokenId: 'root@pam!a', secret: 'a' },
    },
    connect: (host) => ({
      host,
      close: () => undefined,
      send: async (request) => {
        const answer = await Promise.resolve().then(() => recorded.answer(request));
        return typeof answer === 'string'
          ? { status: 500, reason: answer, body: '{"data":null}' }
          : { status: 200, reason: 'OK', body: JSON.stringify(answer) };
      },
    }),
  });
  const yes = () => Promise.resolve(undefined);
  const ownership = {
    ...{ assertOurs: yes, assertOursNow: yes, assertOursOrGone: yes },
    isListedOurs: () => Promise.resolve(false),
    isClaimed: () => Promise.resolve(true),
    verdict: () => Promise.resolve('ours'),
  } as unknown as Ownership;
  const io: StepIo = { ...world.io(), pve, tasks: createTaskWaiter(pve, world.clock), ownership };
  const payload = { ...PAYLOADS[kind], ...(type ? { type } : {}) } as StepPayloads[Kind];
  const handler = handlers[kind] as Handler<StepKind>;
  const outcome = await world.drive(handler(step(kind, payload), io));
  expect(['done', 'already-done']).toContain(outcome);
  return recorded.asked;
}

/** The same, of a container. */
const ofContainer = (line: string): string =>
  line
    .replace('/qemu/', '/lxc/')
    .replace('typefilter=qm', 'typefilter=vz')
    .replace('resources/vm:', 'resources/ct:')
    .replace(' name=', ' hostname=');

test.each(Object.keys(PAYLOADS) as Kind[])('%s', async (kind) => {
  const asked = await askedBy(kind);
  expect(asked.some((line) => !line.startsWith('GET') && /\/qemu\/|\/vm:/.test(line))).toBe(true);
  expect(await askedBy(kind, 'qemu')).toEqual(asked);
  expect(await askedBy(kind, 'lxc')).toEqual(asked.map(ofContainer));
});
