/** A stand-in of VMmanager 6 in this process: for rehearsals (`--simulate`) and tests. Strict where its ways are certain. */
import type { SimClock } from '../simulator/time/sim-clock.ts';
import { Installation } from './installation.ts';
import { faultOf } from './scenario.ts';
import type { Scenario } from './scenario-types.ts';
import { Server, type Credentials, type MutationEvent } from './server.ts';

export interface StandIn {
  readonly credentials: Credentials;
  readonly serve: Server['serve'];
  readonly addFault: Server['addFault'];
  readonly forgetLogins: () => void;
  /** Every request so far; status 0: the connection was cut. */
  readonly requests: Server['requests'];
  readonly logins: () => number;
  /** How often it took an order to move this guest. */
  readonly ordered: (guest: number) => number;
  /** Guest → the number of its node. */
  readonly places: () => Readonly<Record<number, number>>;
}

/** Its time begins at this moment. */
const BEGIN = Date.UTC(2026, 0, 15, 9);
const CREDENTIALS: Credentials = { email: 'balancer@simulated.example', password: 'simulated-password' };

export const DEFAULT_SPEED = 30;

export function createStandIn<T extends SimClock>(
  scenario: Scenario,
  clockAt: (start: number) => T,
  onMutation?: (event: MutationEvent) => void | Promise<void>,
): { readonly standIn: StandIn; readonly time: T } {
  const time = clockAt(BEGIN);
  const installation = new Installation(scenario, time);
  const server = new Server(installation, time, { credentials: CREDENTIALS, onMutation });
  for (const fault of scenario.faults ?? []) server.addFault(faultOf(fault));
  return {
    time,
    standIn: {
      credentials: CREDENTIALS,
      serve: server.serve,
      addFault: (fault) => server.addFault(fault),
      forgetLogins: () => server.forgetLogins(),
      requests: server.requests,
      logins: () => server.logins,
      ordered: (guest) => installation.tasks.filter((task) => task.guest === guest).length,
      places: () => Object.fromEntries([...installation.guests.values()].map(({ id, node }) => [id, node])),
    },
  };
}
