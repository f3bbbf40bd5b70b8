/** The stand-in of VMmanager 6 in the place of an installation: its connection, its clock, and how requests get there. */
import type { Clock } from '../clock.ts';
import type { Connection } from '../config/types.ts';
import { inProcess } from '../proxmox/transports/in-process.ts';
import type { Connect } from '../proxmox/transports/types.ts';
import { VirtualTime } from '../simulator/time/virtual-time.ts';
import type { Scenario } from '../vmmanager-stand-in/scenario-types.ts';
import { createStandIn, DEFAULT_SPEED } from '../vmmanager-stand-in/stand-in.ts';

/** Nobody listens there. */
const HOST = 'vmmanager.simulated:443';

export interface SimulatedVmmanager {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly connect: Connect;
  readonly url: string;
  readonly stop: () => void;
}

export function openSimulatedVmmanager(scenario: Scenario, host: Clock): SimulatedVmmanager {
  const pace = { speed: scenario.speed ?? DEFAULT_SPEED, host };
  const { standIn, time } = createStandIn(scenario, (start) => new VirtualTime(start, { pace }));
  const { email, password } = standIn.credentials;
  return {
    connection: {
      ...{ name: 'simulator', platform: 'vmmanager6', hosts: [HOST], operators: [] },
      auth: { kind: 'password', user: email, password },
      tls: { verify: true },
      timeout: 30_000,
      ...zoneOf(scenario.utc_offset_hours ?? 0),
    },
    clock: time.clock,
    connect: inProcess(standIn.serve, time),
    url: `https://${HOST}`,
    stop: () => {
      time.stop();
    },
  };
}

/** Zones of that name are written with the sign turned. */
function zoneOf(hours: number): Pick<Connection, 'timeZone'> {
  return hours === 0 ? {} : { timeZone: `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}` };
}
