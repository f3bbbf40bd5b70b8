/** The embedded simulator in the place of a cluster: its connection, its clock, and how requests get there. */
import type { Clock } from '../clock.ts';
import type { Connection } from '../config/types.ts';
import { inProcess } from '../proxmox/transports/in-process.ts';
import type { Connect } from '../proxmox/transports/types.ts';
import { createSimulator, speedOf, type SimulatorOptions } from '../simulator/simulator.ts';
import { VirtualTime } from '../simulator/time/virtual-time.ts';

/** Nobody listens there. */
const HOST = 'pve.simulated:8006';

export interface Simulated {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly connect: Connect;
  readonly url: string;
  readonly simulator: ReturnType<typeof createSimulator>['simulator'];
  /** Its time stands still from now on. */
  readonly stop: () => void;
}

/** Its time passes at the scenario's speed by `host`; without one it jumps over every wait. */
export function openSimulated(options: SimulatorOptions, host: Clock | undefined): Simulated {
  const pace = host && { speed: speedOf(options.scenario), host };
  const { simulator, time } = createSimulator(
    options,
    (start) => new VirtualTime(start, pace ? { pace } : {}),
  );
  return {
    connection: {
      name: 'simulator',
      platform: 'pve',
      hosts: [HOST],
      auth: { kind: 'token', tokenId: simulator.credentials.tokenId, secret: simulator.credentials.secret },
      tls: { verify: true },
      timeout: 30_000,
      operators: [],
    },
    clock: time.clock,
    connect: inProcess(simulator.serve, time),
    url: `https://${HOST}`,
    simulator,
    stop: () => {
      time.stop();
    },
  };
}
