/** What a client needs to reach a server, whatever it speaks. Types only. */
import type { Clock } from '../clock.ts';
import type { Connect } from './transports/types.ts';
import type { ConnectionSettings, RequestEvent, WriteWitness } from './types.ts';

export interface LinkOptions {
  readonly connection: ConnectionSettings;
  readonly clock: Clock;
  /** Hears of every exchange, secrets masked. */
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
  /** Without one, writes are sent unwitnessed. */
  readonly witness?: WriteWitness | undefined;
  /** How a host is reached; default: over the network. */
  readonly connect?: Connect | undefined;
}
