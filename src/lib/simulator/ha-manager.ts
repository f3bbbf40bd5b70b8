/**
 * The HA manager and its local managers: what becomes of requests, when, and by whose tasks. Answers no API call.
 * See ha-manager HA/Manager.pm and HA/LRM.pm; the times were measured on 9.2.
 */
import { isRunning } from './guest/guest-view.ts';
import type { Sim } from './sim.ts';
import type { GuestState, HaResourceState } from './state.ts';
import type { World } from './world.ts';
import { without } from './without.ts';

/** From a request to the task that carries it out. */
const startMs = 5_000;
const stopMs = 8_000;
/** Until the manager takes a migration up, and from there to the local manager's task. */
const commandMs = 8_000;
const takeUpMs = 8_000;
const settleMs = 3_000;
const retryMs = 5_000;
const watchMs = 1_000;

const resourceOf = (sim: Sim, sid: string): HaResourceState | undefined => sim.world.haResources.get(sid);

function guestOf(sim: Sim, sid: string): GuestState | undefined {
  return sim.world.guests.get(Number(sid.split(':')[1]));
}

function change(sim: Sim, sid: string, what: Partial<HaResourceState>): void {
  const found = resourceOf(sim, sid);
  if (found) sim.world.haResources.set(sid, { ...found, ...what });
}

const later = (sim: Sim, ms: number, work: () => void): void => {
  sim.clock.at(sim.clock.after(ms), work);
};

/** The state that the manager has the service in. */
export const crmState = ({ state, status }: HaResourceState): string => status ?? state;

type Task = 'start' | 'stop' | 'shutdown' | 'migrate';

const qemuTypes = { start: 'qmstart', stop: 'qmstop', shutdown: 'qmshutdown', migrate: 'qmigrate' } as const;
const lxcTypes = { start: 'vzstart', stop: 'vzstop', shutdown: 'vzshutdown', migrate: 'vzmigrate' } as const;

const managed: ReadonlySet<string> = new Set([...Object.values(qemuTypes), ...Object.values(lxcTypes)]);

/** A local manager works as root@pam, on the node where the guest is. */
function run(
  sim: Sim,
  guest: GuestState,
  task: Task,
  args: Parameters<Sim['tasks']['start']>[0]['args'],
): string {
  const { vmid, node, type } = guest;
  const isVm = type === 'qemu';
  return sim.tasks.start({
    node,
    type: isVm ? qemuTypes[task] : lxcTypes[task],
    id: String(vmid),
    user: 'root@pam',
    kind: isVm ? task : `lxc-${task}`,
    args: { vmid, ...args },
  });
}

function whenEnded(sim: Sim, upid: string, then: (succeeded: boolean) => void): void {
  later(sim, watchMs, () => {
    const task = sim.tasks.get(upid);
    if (task?.endtime === undefined) whenEnded(sim, upid, then);
    else then(/^(?:OK|WARNINGS: \d+)$/.test(task.exitstatus ?? ''));
  });
}

/** `ha-manager set --state started`. A service that cannot be started is tried once more, then left in error. */
export function requestStart(sim: Sim, sid: string, tries = 2): void {
  change(sim, sid, { state: 'started' });
  later(sim, startMs, () => {
    const guest = guestOf(sim, sid);
    const resource = resourceOf(sim, sid);
    if (resource?.state !== 'started' || resource.status !== undefined) return;
    if (!guest || isRunning(guest)) return;
    whenEnded(sim, run(sim, guest, 'start', { skiplock: false }), (succeeded) => {
      if (succeeded) return;
      if (tries > 1) requestStart(sim, sid, tries - 1);
      else change(sim, sid, { status: 'error' });
    });
  });
}

/** Config state `stopped`: the manager follows it, after a migration that is under way. */
export function requestStopped(sim: Sim, sid: string): void {
  change(sim, sid, { state: 'stopped' });
  later(sim, stopMs, () => obeyStop(sim, sid, {}));
}

function obeyStop(sim: Sim, sid: string, how: Readonly<Record<string, boolean | number | null>>): void {
  const guest = guestOf(sim, sid);
  const resource = resourceOf(sim, sid);
  if (resource?.state !== 'stopped' || resource.status !== undefined) return;
  if (!guest || !isRunning(guest)) return;
  change(sim, sid, { status: 'request_stop' });
  whenEnded(sim, run(sim, guest, how['hard'] === true ? 'stop' : 'shutdown', how), () => settle(sim, sid));
}

/** `crm-command stop`: the manager looks at its commands in some states only, and `migrate` is none of them. */
export function requestStop(
  sim: Sim,
  sid: string,
  how: Readonly<Record<string, boolean | number | null>>,
): void {
  later(sim, stopMs, () => {
    if (resourceOf(sim, sid)?.status !== undefined) return;
    change(sim, sid, { state: 'stopped' });
    obeyStop(sim, sid, how);
  });
}

function settle(sim: Sim, sid: string): void {
  const found = resourceOf(sim, sid);
  if (!found) return;
  sim.world.haResources.set(sid, without(found, 'status'));
  if (found.state === 'stopped') later(sim, stopMs, () => obeyStop(sim, sid, {}));
}

export function requestMigration(sim: Sim, sid: string, target: string): void {
  later(sim, commandMs, () => migrate(sim, sid, target));
}

function migrate(sim: Sim, sid: string, target: string): void {
  if (resourceOf(sim, sid)?.status !== undefined) return;
  change(sim, sid, { status: 'migrate' });
  later(sim, takeUpMs, () => {
    const guest = guestOf(sim, sid);
    if (!guest || guest.node === target) {
      settle(sim, sid);
      return;
    }
    const args =
      guest.type === 'qemu'
        ? { target, withLocalDisks: true, targetStorage: null, online: isRunning(guest) }
        : { target, restart: true, online: false, timeout: 180, targetStorage: null };
    whenEnded(sim, run(sim, guest, 'migrate', args), () => {
      later(sim, settleMs, () => {
        settle(sim, sid);
        evacuate(sim, sid);
      });
    });
  });
}

function refuge(sim: Sim, resource: HaResourceState, from: string): string | undefined {
  const group = sim.world.haGroups.find((one) => one.group === resource.group);
  const allowed = group?.restricted === true ? group.nodes.map((one) => one.split(':', 1)[0]) : undefined;
  return [...sim.world.nodes.values()].find(
    ({ name, online, maintenance }) =>
      name !== from && online && !maintenance && (allowed?.includes(name) ?? true),
  )?.name;
}

/** A node in maintenance loses its services; a move that fails is tried again every few seconds, for ever. */
function evacuate(sim: Sim, sid: string): void {
  const resource = resourceOf(sim, sid);
  const guest = guestOf(sim, sid);
  if (resource?.state !== 'started' || !guest || resource.status !== undefined) return;
  const node = sim.world.node(guest.node);
  const target = refuge(sim, resource, guest.node);
  if (!node.maintenance || !node.online || target === undefined) return;
  later(sim, retryMs, () => migrate(sim, sid, target));
}

/** What was under way when the state was saved: its task goes on, and the manager takes notice of how it ends. */
function carryOn(sim: Sim, sid: string): void {
  const [, vmid] = sid.split(':');
  const task = sim.tasks
    .all()
    .find(({ id, type, endtime }) => id === vmid && endtime === undefined && managed.has(type));
  const then = (): void => {
    later(sim, settleMs, () => {
      settle(sim, sid);
      evacuate(sim, sid);
    });
  };
  if (task) whenEnded(sim, task.upid, then);
  else then();
}

/** What the manager finds to do when the cluster comes up. */
export function startHaManager(sim: Sim): void {
  for (const { sid, status } of sim.world.haResources.values()) {
    if (status === 'migrate' || status === 'request_stop') carryOn(sim, sid);
    else evacuate(sim, sid);
  }
}

/** HA/Config.pm delete_service_from_config: rules that are left without resources go too. */
export function dropHaResource(world: World, sid: string, purge: boolean): boolean {
  const isKnown = world.haResources.delete(sid);
  if (purge) {
    world.haRules = world.haRules
      .map((rule) => ({ ...rule, resources: rule.resources.filter((one) => one !== sid) }))
      .filter((rule) => rule.resources.length > 0);
  }
  return isKnown;
}
