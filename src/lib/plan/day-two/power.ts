/** Plans `power`: which machines are switched, in which order, and who is left out and why. Pure. */
import { groupBy } from '../../group.ts';
import type { GuestInfo } from '../../inventory/types.ts';
import { frozenSince } from '../../marks/pool.ts';
import { shellCommand } from '../../shell.ts';
import { assertSound } from '../document/graph.ts';
import type { PlannedStand, PowerPlan, Refusal } from '../document/plan.ts';
import { refuse } from '../document/refuse.ts';
import type { Step } from '../document/step.ts';
import { gapTexts, nameSome } from '../document/text.ts';
import { actionable, type StandMachine, type StandView } from '../stands/selected.ts';
import { leftAs, staleLock } from './machines.ts';
import { LOCK } from '../../pve-values/guest-kinds.ts';
import { machinePower, type MachinePower } from '../../pve-values/machine-power.ts';
import { deedFor, isInState, obstacleTo } from './power-deeds.ts';
import { placeForMemory } from './memory-place.ts';
import { findRoom } from './power-room.ts';
import { stepsOf } from './power-steps.ts';
import { joined, type Judged } from './stand-work.ts';
import type { Planned, PowerRequest } from './power-types.ts';

/** Of one user in one pool, of whichever labs. */
interface Draft {
  readonly key: string;
  readonly user: string;
  readonly pool: string;
  readonly views: readonly StandView[];
  readonly machines: readonly Planned[];
  readonly left: readonly Judged[];
  readonly notes: readonly string[];
}

type Fate = { readonly plan: Planned } | { readonly left: Refusal } | { readonly inUse: string } | undefined;

function isAsked(power: MachinePower, { options }: PowerRequest): boolean {
  if (!isInState(power, options.ifState)) return false;
  return deedFor(options.action, options.pause, power) !== undefined;
}

/** What is not there is off. Whose node is offline nobody knows. */
function powerOf(guest: GuestInfo | undefined): MachinePower {
  return guest ? machinePower(guest) : 'stopped';
}

/** Machines of which the averages decide. */
export function askedAbout(stands: readonly StandView[], request: Omit<PowerRequest, 'stands'>): GuestInfo[] {
  const idle = request.options.idle;
  if (!idle) return [];
  return stands
    .flatMap(actionable)
    .map(({ guest }) => guest)
    .filter((guest) => isAsked(machinePower(guest), { ...request, stands }))
    .filter(({ use }) => use !== undefined && use.uptime >= idle.seconds);
}

function inUse(
  guest: GuestInfo,
  name: string,
  { options: { idle }, averages }: PowerRequest,
): string | undefined {
  if (!idle) return undefined;
  if ((guest.use?.uptime ?? 0) < idle.seconds) return `${name} (up for a shorter time)`;
  const average = averages?.get(guest.vmid);
  if (!average) return `${name} (no statistics)`;
  if (average.cpu < idle.cpu && average.network < idle.network) return undefined;
  return `${name} (CPU ${(100 * average.cpu).toFixed(1)} %, ${(average.network / 1024).toFixed(1)} KiB/s)`;
}

/** Off before its memory was on disk, by a suspension that died with its node or its process: it neither goes on nor starts. */
function halfSuspended(one: StandMachine, guest: GuestInfo, { options, index }: PowerRequest): Fate {
  const { lock } = guest;
  if (options.action !== 'resume' || lock !== LOCK.suspending || !isInState('stopped', options.ifState))
    return undefined;
  const left = staleLock(one, guest, { lock, index });
  return left && { left };
}

function fateOf(view: StandView, one: StandMachine, request: PowerRequest): Fate {
  const { options, have, index } = request;
  const { guest, verdict } = one;
  const power = powerOf(guest);
  if (verdict === 'away' || (power === 'unknown' && verdict === 'ours')) {
    return { left: leftAs('away', { view, one }) };
  }
  const deed = deedFor(options.action, options.pause, power);
  if (!deed && verdict === 'ours' && guest) return halfSuspended(one, guest, request);
  // Somebody else's is nobody's concern here.
  if (!deed || !isAsked(power, request) || verdict === 'foreign') return undefined;
  if (verdict !== 'ours' || !guest)
    return { left: leftAs(verdict === 'ours' ? 'missing' : verdict, { view, one }) };
  const busy = inUse(guest, one.machine ?? String(one.vmid), request);
  if (busy !== undefined) return { inUse: busy };
  const what = { lab: view.claim.lab, user: view.user, machine: one.machine };
  const obstacle = obstacleTo(deed, guest, { power, force: options.force, ...what });
  if (obstacle) return { left: obstacle };
  if (deed !== 'suspend') return { plan: { view, one, guest, power, deed } };
  const place = placeForMemory(guest, { ...what, have, index, storage: options.storage });
  if ('left' in place) return place;
  return { plan: { view, one, guest, power, deed, ...place } };
}

function draftOf(views: readonly StandView[], request: PowerRequest): Draft {
  const [first] = views as [StandView, ...StandView[]]; // groups have members
  const judged = views.flatMap((view) =>
    view.machines
      .filter(({ isSelected }) => isSelected)
      .flatMap((one) => {
        const fate = fateOf(view, one, request);
        return fate ? [{ one, fate }] : [];
      }),
  );
  const busy = judged.flatMap(({ fate }) => ('inUse' in fate ? [fate.inUse] : []));
  return {
    key: `${first.user} ${first.pool}`,
    user: first.user,
    pool: first.pool,
    views,
    machines: judged.flatMap(({ fate }) => ('plan' in fate ? [fate.plan] : [])),
    left: judged.flatMap(({ one, fate }) => ('left' in fate ? [{ one, why: fate.left }] : [])),
    notes: busy.length === 0 ? [] : [`in use: ${busy.join(', ')}`],
  };
}

function toStand(
  { user, pool, views, left, notes }: Draft,
  { index }: PowerRequest,
  refused: Refusal | undefined,
): PlannedStand {
  const [first] = views as [StandView, ...StandView[]]; // groups have members
  const nodes = [...new Set(views.flatMap((view) => view.nodes))];
  const node = nodes[0] ?? first.node;
  const merged = joined(left);
  const frozen = frozenSince(index.marks.get(pool));
  return {
    user,
    pool,
    ...(node === undefined ? {} : { node }),
    vms: views.flatMap(({ machines }) =>
      machines.flatMap(({ vmid, machine, guest, verdict, isSelected }) =>
        isSelected && guest && verdict !== 'foreign'
          ? [
              {
                ...{ vmid, name: machine ?? guest.name ?? String(vmid), node: guest.node },
                ...{ state: 'staying' as const, power: machinePower(guest) },
              },
            ]
          : [],
      ),
    ),
    bridges: [],
    ...(frozen === undefined ? {} : { frozen }),
    ...(refused ? { refused } : {}),
    ...(merged && !refused ? { left: merged } : {}),
    notes,
  };
}

/** Without the memory of nodes nobody knows whether machines fit. */
function memoryWarnings(drafts: readonly Draft[], { have }: PowerRequest): string[] {
  const blind = new Set(have.nodes.flatMap(({ name, memoryTotal }) => (memoryTotal > 0 ? [] : [name])));
  const brings = drafts.some(({ machines }) =>
    machines.some(({ deed, guest }) => (deed === 'start' || deed === 'resume') && blind.has(guest.node)),
  );
  return brings
    ? [
        'the memory of nodes is not to be seen (Sys.Audit on /nodes): whether the machines fit is not checked, and two at a time start on each node',
      ]
    : [];
}

/** Their machines may be switched on, to be graded; it gives nobody access. */
function frozenWarnings(drafts: readonly Draft[], { index, options: { action } }: PowerRequest): string[] {
  if (action !== 'start' && action !== 'resume') return [];
  const frozen = drafts.filter(({ pool }) => frozenSince(index.marks.get(pool)) !== undefined);
  if (frozen.length === 0) return [];
  const labs = [...new Set(frozen.flatMap(({ views }) => views.map(({ claim }) => claim.lab)))];
  const thaw = shellCommand('deploy-stand', 'access', 'thaw', ...labs.flatMap((lab) => ['--lab', lab]));
  return [
    `frozen: ${nameSome(frozen.map(({ user }) => user))}; their machines are switched on, and they have no access to them until \`${thaw}\``,
  ];
}

export function planPower(request: PowerRequest): PowerPlan {
  const { options, stands, have, index, lab, labName } = request;
  const drafts = [...groupBy(stands, ({ user, pool }) => `${user} ${pool}`).values()].map((views) =>
    draftOf(views, request),
  );
  const working = drafts.filter(({ machines }) => machines.length > 0);
  const room = findRoom(working, { have, index, lab });
  if (room.shortage && !options.fit) {
    refuse([{ ...room.shortage, hint: `--fit leaves out what does not fit; ${room.shortage.hint ?? ''}` }]);
  }
  const steps = working.flatMap(({ key, machines }): Step[] =>
    room.refused.has(key) ? [] : stepsOf(machines, request),
  );
  assertSound(steps);
  return {
    version: 2,
    command: 'power',
    action: options.action,
    lab: labName,
    steps,
    stands: drafts.map((draft) => toStand(draft, request, room.refused.get(draft.key))),
    warnings: [
      ...gapTexts(have),
      ...(room.shortage ? [`${room.shortage.message}\n  ${room.shortage.hint ?? ''}`] : []),
      ...memoryWarnings(working, request),
      ...frozenWarnings(working, request),
    ],
  };
}
