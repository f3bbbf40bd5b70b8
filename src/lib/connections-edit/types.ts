/** What `connections test` found, as the story tells it and the renderer shows it. Types only. */
import type { Platform } from '../config/types.ts';
import type { RightsOverview } from '../privileges/overview.ts';

export type Trust = 'fingerprint' | 'ca-file' | 'system' | 'none';

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export interface HostReport {
  readonly host: string;
  readonly ok: boolean;
  /** Milliseconds since the epoch; absent when the certificate could not be read. */
  readonly certificate?: { readonly fingerprint: string; readonly validTo: number };
  /** Absent: the host gave no answer. */
  readonly platform?: Platform;
  readonly version?: string;
  /** Milliseconds for one small request on an open connection. */
  readonly latencyMs?: number;
  /** The server's clock minus ours, in seconds; PVE tells whole seconds. */
  readonly clockSkewSeconds?: number;
  readonly nodes?: readonly { readonly name: string; readonly online: boolean }[];
  /** `unknown`: the account may not see it. `single`: no cluster, none is needed. */
  readonly quorum?: 'yes' | 'no' | 'single' | 'unknown';
  readonly cluster?: string;
  readonly error?: Problem;
}

export interface ConnectionReport {
  readonly name: string;
  readonly ok: boolean;
  readonly login?: { readonly kind: 'token' | 'password'; readonly id: string };
  readonly trust?: Trust;
  readonly hosts: readonly HostReport[];
  /** Absent when no host answered. */
  readonly rights?: RightsOverview;
  /** Nodes that told their load average over SSH; absent: none is asked. */
  readonly ssh?: { readonly nodes: number };
  /** What is wrong with the connection as a whole. */
  readonly error?: Problem;
}
