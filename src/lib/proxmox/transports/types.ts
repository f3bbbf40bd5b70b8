/** How a request gets to one host, and what its failure proves. */
import { troublesText, type HostTrouble } from '../../unanswered.ts';
import type { RawAnswer } from '../answer.ts';
import type { HttpMethod } from '../errors.ts';
import type { SentParams } from '../form.ts';
import type { Host } from '../hosts.ts';
import type { ConnectionSettings } from '../types.ts';

export interface Outgoing {
  readonly method: HttpMethod;
  /** Percent-encoded, below `/api2/json`. */
  readonly path: string;
  readonly params: SentParams;
  /** For other servers: the path, with its query, as it stands, and this as the body; empty: none. */
  readonly json?: string | undefined;
  /** Larger answers are refused, where less is taken than of any other. */
  readonly maxAnswerBytes?: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** One host. */
export interface Transport {
  readonly host: Host;
  /** Throws NotSent, NoAnswer, an error of trust, or the signal's reason. */
  send(request: Outgoing, signal?: AbortSignal): Promise<RawAnswer>;
  close(): void;
}

export interface TransportOptions {
  readonly tls: ConnectionSettings['tls'];
  /** Milliseconds until an answer is given up. */
  readonly timeout: number;
  readonly maxSockets: number;
  readonly maxAnswerBytes: number;
  readonly howToTrust: HowToTrust;
}

/** The way out for a certificate that is not trusted, and has this fingerprint. */
export type HowToTrust = (seen: string) => string;

export type Connect = (host: Host, options: TransportOptions) => Transport;

/** An exchange that came to nothing. */
abstract class Failed extends Error {
  readonly troubles: readonly HostTrouble[];

  constructor(troubles: readonly HostTrouble[], options?: ErrorOptions) {
    super(troublesText(troubles), options);
    this.troubles = troubles;
  }
}
/** This host never got the request. */
export class NotSent extends Failed {}
/** The host may have got it; there is no usable answer. */
export class NoAnswer extends Failed {}
export class TooLarge extends NoAnswer {}
