/** What is served, and where. Types only. */
import type { Parts } from '../render/parts.ts';

/** One state of the class, as everybody sees it. */
export interface Shown {
  /** Unique among all states of all runs. */
  readonly version: string;
  readonly parts: Parts;
  /** Made when somebody asks, once. */
  readonly page: () => string;
  readonly status: () => string;
  readonly metrics: () => Promise<string>;
  readonly health: () => string;
}

export type Answer = (request: Request) => Response | Promise<Response>;

export interface Place {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface Listening {
  readonly port: number;
  /** Leaves the port, and those who are still there. */
  close(): Promise<void>;
}

/** How requests get here; the sockets are in listen.ts, and tests have their own. */
export type Listen = (answer: Answer, place: Place) => Promise<Listening>;
