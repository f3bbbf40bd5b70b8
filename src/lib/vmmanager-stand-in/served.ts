/** The stand-in behind HTTPS, for programs of their own process. Its time runs with the wall's. */
import { Front } from '../simulator/http/front.ts';
import { createSimClock } from '../simulator/time/sim-clock.ts';
import type { Scenario } from './scenario-types.ts';
import type { Credentials } from './server.ts';
import { createStandIn, DEFAULT_SPEED } from './stand-in.ts';

export interface ServedStandIn {
  readonly port: number;
  readonly speed: number;
  readonly credentials: Credentials;
  readonly close: () => Promise<void>;
}

export async function serveStandIn(
  scenario: Scenario,
  options: {
    readonly port: number;
    readonly tls: { readonly key: string; readonly cert: string };
    readonly speed?: number | undefined;
  },
): Promise<ServedStandIn> {
  const speed = options.speed ?? scenario.speed ?? DEFAULT_SPEED;
  const { standIn, time } = createStandIn(scenario, (start) => createSimClock(start, speed));
  const front = new Front({
    ...{ host: '127.0.0.1', port: options.port, tls: options.tls },
    serve: async ({ body, ...request }) =>
      standIn.serve({ ...request, body: typeof body === 'string' ? body : await body() }),
  });
  return {
    port: await front.listen(),
    speed,
    credentials: standIn.credentials,
    close: async () => {
      time.stop();
      await front.close();
    },
  };
}
