/** How one stand is, and what is wrong with it beside its machines. Reads nothing. */
import type { UserInfo } from '../../inventory/types.ts';
import { frozenSince } from '../../marks/pool.ts';
import { DAY, lastDayOf } from '../../pve-values/expire.ts';
import { toldKind } from '../../pve-values/guest-kinds.ts';
import { bridgeOn, bridgesOf, type ClusterView } from '../cluster/view.ts';
import { disabler } from '../stands/disabled-account.ts';
import { nearestEnd } from '../stands/expiry.ts';
import { actionable, type StandView } from '../stands/selected.ts';
import { rightsOfUse } from '../stands/still-open.ts';
import { isBeingMade, machineStatus } from './status-machine.ts';
import {
  SOON_DAYS,
  type MachineStatus,
  type Problem,
  type StandStatus,
  type StatusContext,
} from './status-types.ts';

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function accessOf(
  { pool, user, mark }: StandView,
  { acls }: Pick<ClusterView, 'acls'>,
): StandStatus['access'] {
  if (frozenSince(mark) !== undefined) return 'frozen';
  return acls.has(`/pool/${pool} ${user}`) ? 'open' : 'none';
}

function loadOf(machines: readonly MachineStatus[]): Pick<StandStatus, 'uptime' | 'cpu' | 'memory'> {
  const up = machines.filter(({ uptime }) => uptime !== null);
  if (up.length === 0) return { uptime: null, cpu: null, memory: null };
  const cpus = sum(up.map((one) => one.cpus ?? 0));
  const memory = sum(up.map((one) => one.memoryTotal ?? 0));
  return {
    uptime: Math.min(...up.map((one) => one.uptime ?? 0)),
    cpu: cpus === 0 ? 0 : sum(up.map((one) => (one.cpu ?? 0) * (one.cpus ?? 0))) / cpus,
    memory: memory === 0 ? 0 : sum(up.map((one) => one.memory ?? 0)) / memory,
  };
}

const nearestOf = ({ user, claim }: StandView, { have, index }: StatusContext) =>
  nearestEnd({ expires: claim.expires, expire: index.users.get(user)?.expire }, have.now);

function endsOn(view: StandView, context: StatusContext): string | null {
  const nearest = nearestOf(view, context);
  return nearest ? lastDayOf(nearest.end) : null;
}

/** Of a stand of which only some machines were asked for, those. */
export function standStatus(view: StandView, context: StatusContext, problems: number): StandStatus {
  const { user, pool, claim, nodes } = view;
  const machines = view.machines
    .filter(({ isSelected }) => isSelected)
    .map((one) => machineStatus(one, view, context));
  return {
    ...{ user, lab: claim.lab, pool, nodes, machines },
    running: machines.filter(({ state }) => state === 'running').length,
    ...loadOf(machines),
    expires: endsOn(view, context),
    access: accessOf(view, context.index),
    frozen: frozenSince(view.mark) ?? null,
    since: claim.since,
    problems,
  };
}

/** Days before its end that a stand is spoken of. */
function expiryProblems(view: StandView, context: StatusContext): Problem[] {
  const nearest = nearestOf(view, context);
  if (!nearest || nearest.left > SOON_DAYS * DAY) return [];
  const kind = nearest.left <= 0 ? 'expired' : 'expires-soon';
  return [{ kind, user: view.user, lab: view.claim.lab, detail: lastDayOf(nearest.end) }];
}

/** Networks of the lab that have no bridge where this stand is, or one that is not up. */
function bridgeProblems({ user, claim, nodes }: StandView, context: StatusContext): Problem[] {
  const { have, index, networks } = context;
  const [node] = nodes;
  if (node === undefined || !index.online.has(node) || have.hidden?.bridges === true) return [];
  // Of a stand that is torn its bridges are the least.
  if (nodes.length > 1) return [];
  if (!have.networks.some((one) => one.node === node && one.readable)) return [];
  return [...(networks.get(claim.lab) ?? [])].flatMap((net): Problem[] => {
    const of = { user, lab: claim.lab, node };
    const bridge = bridgeOn(of, net, { node, index });
    if (!bridge) return [{ kind: 'bridge-missing', ...of, detail: net }];
    return bridge.active ? [] : [{ kind: 'bridge-down', ...of, detail: `${net}, ${bridge.iface}` }];
  });
}

/** The machines that are away from the node of the stand's networks; where nothing tells which that is, the stand. */
function tornProblems(
  { user, claim, machines, nodes }: StandView,
  { index, networks }: StatusContext,
): Problem[] {
  const of = { kind: 'stand-torn' as const, user, lab: claim.lab };
  const bridges = [...(networks.get(claim.lab) ?? [])].flatMap((net) => bridgesOf(of, net, index));
  const homes = nodes.filter((node) => bridges.some((bridge) => bridge.node === node));
  const [home] = homes;
  if (home === undefined || homes.length > 1) return [{ ...of, detail: nodes.join(', ') }];
  return machines.flatMap(({ vmid, machine, guest, verdict }) =>
    guest && verdict !== 'foreign' && guest.node !== home
      ? [
          {
            ...{ ...of, vmid, ...toldKind(guest) },
            ...(machine === undefined ? {} : { machine }),
            ...{ node: guest.node, detail: home },
          },
        ]
      : [],
  );
}

/** Frozen by its claim, and by these rights not shut: a freeze that was cut, or a right that came after its look. */
function openProblems(view: StandView, { have, index }: StatusContext): Problem[] {
  const { user, pool, claim, mark } = view;
  if (frozenSince(mark) === undefined) return [];
  const vmids = actionable(view).map(({ vmid }) => vmid);
  const rights = rightsOfUse({ user, pool, vmids }, { have, index });
  if (rights.length === 0) return [];
  const detail = rights.map(({ subject, role, path }) => `${subject} has ${role} on ${path}`).join(', ');
  return [{ kind: 'still-open', user, lab: claim.lab, detail }];
}

/** Only a stand with bridges of its own has to be on one node. */
function isTorn({ nodes, claim }: StandView, { networks }: StatusContext): boolean {
  return nodes.length > 1 && (networks.get(claim.lab)?.size ?? 0) > 0;
}

function disabledProblem(account: UserInfo, of: Pick<Problem, 'user' | 'lab'>): Problem {
  const by = disabler(account);
  return { kind: 'user-disabled', ...of, ...(by === undefined ? {} : { detail: by }) };
}

export function standProblems(view: StandView, context: StatusContext): Problem[] {
  const { user, claim } = view;
  const of = { user, lab: claim.lab };
  const account = context.index.users.get(user);
  // Its bridges may be on their way, too, and a clone is on its template's node until it is made.
  const isAtWork = view.machines.some(
    (one) => one.verdict === 'in-flight' || isBeingMade(one, context.isMaking),
  );
  const isHandedOut = view.machines.length > 0 && view.machines.every(({ verdict }) => verdict === 'ours');
  return [
    ...expiryProblems(view, context),
    ...(!isAtWork && isTorn(view, context) ? tornProblems(view, context) : []),
    ...(isAtWork ? [] : bridgeProblems(view, context)),
    ...(account && !account.enabled ? [disabledProblem(account, of)] : []),
    // Access is the last that a deploy gives, and the first that a cleanup takes, of all stands at once.
    ...(isHandedOut &&
    !context.isMaking &&
    !context.removed.has(claim.lab) &&
    accessOf(view, context.index) === 'none'
      ? [{ kind: 'no-access' as const, ...of }]
      : []),
    ...openProblems(view, context),
  ];
}
