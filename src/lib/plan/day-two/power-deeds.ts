/** What each action of `power` does to a machine, by how the machine is: one table. Knows no stand. */
import type { GuestInfo } from '../../inventory/types.ts';
import type { MachinePower } from '../../pve-values/machine-power.ts';
import type { PowerAction, Refusal } from '../document/plan.ts';
import { templateWayOut } from '../stands/made-template.ts';
import { sayPowerCommand, type Switched } from './power-command.ts';

export type IfState = 'running' | 'stopped' | 'suspended';

export type Deed = 'start' | 'shutdown' | 'stop' | 'reboot' | 'suspend' | 'pause' | 'resume' | 'go-on';

/** `pause`: a suspension that keeps the memory. `go-on`: from there; `resume`: from disk. */
const DEEDS: Readonly<Record<PowerAction | 'pause', Partial<Readonly<Record<MachinePower, Deed>>>>> = {
  start: { stopped: 'start', suspended: 'resume', suspending: 'resume', paused: 'go-on' },
  resume: { suspended: 'resume', suspending: 'resume', paused: 'go-on' },
  shutdown: { running: 'shutdown', paused: 'shutdown' },
  stop: { running: 'stop', paused: 'stop' },
  reboot: { running: 'reboot', paused: 'reboot' },
  suspend: { running: 'suspend', paused: 'suspend', suspending: 'suspend' },
  pause: { running: 'pause' },
};

/** Undefined: nothing is to be done. */
export function deedFor(action: PowerAction, isPause: boolean, power: MachinePower): Deed | undefined {
  return DEEDS[action === 'suspend' && isPause ? 'pause' : action][power];
}

const STATES: Readonly<Record<IfState, ReadonlySet<MachinePower>>> = {
  running: new Set(['running']),
  stopped: new Set(['stopped']),
  suspended: new Set(['suspended', 'suspending', 'paused']),
};

export function isInState(power: MachinePower, wanted: IfState | undefined): boolean {
  return wanted === undefined || STATES[wanted].has(power);
}

type Vm = Pick<GuestInfo, 'vmid' | 'node' | 'name'>;

const say = ({ vmid, name, node }: Vm): string =>
  `VM ${vmid}${name === undefined ? '' : ` (${name})`} on ${node}`;

interface ObstacleOptions extends Switched {
  readonly power: MachinePower;
  readonly force: boolean;
}

/** What PVE would refuse, or do otherwise than was asked. */
export function obstacleTo(
  deed: Deed,
  guest: GuestInfo,
  { power, force, ...what }: ObstacleOptions,
): Refusal | undefined {
  if (deed === 'start' && guest.template) {
    return {
      code: 'VM_IS_TEMPLATE',
      message: `${say(guest)} was made a template: it cannot be started`,
      hint: templateWayOut({ vm: guest, user: what.user, machine: what.machine }),
    };
  }
  if (power === 'paused' && (deed === 'reboot' || (deed === 'shutdown' && !force))) {
    return {
      code: 'VM_PAUSED',
      message: `${say(guest)} is paused: its guest cannot answer`,
      hint: `${sayPowerCommand('resume', what)} first${deed === 'shutdown' ? ', or --force' : ''}`,
    };
  }
  if (!guest.ha) return undefined;
  if (deed === 'suspend') {
    return {
      code: 'HA_MANAGED',
      message: `${say(guest)} is managed by HA: PVE does not suspend such a machine to disk`,
      hint: `${sayPowerCommand('shutdown', what)}, or take it out of HA (Datacenter → HA)`,
    };
  }
  if (deed === 'shutdown' && !force) {
    return {
      code: 'HA_MANAGED',
      message: `${say(guest)} is managed by HA, which cuts the power of a guest that does not shut down in time`,
      hint: '--force allows that',
    };
  }
  return undefined;
}
