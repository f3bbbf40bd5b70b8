/** What is run in students' machines, and what came of it. Types only. */
import type { GuestAt } from '../pve-values/guest-kinds.ts';

/** One command for one machine. */
export interface AgentCommand {
  /** Of the check. */
  readonly name: string;
  readonly argv: readonly string[];
  readonly timeoutSeconds: number;
}

/** Commands of one machine, one after the other. */
export interface MachineTask extends GuestAt {
  readonly commands: readonly AgentCommand[];
}

/** How a process in a guest ended. */
export interface EndedProcess {
  /** Absent: it was killed. */
  readonly exit?: number;
  readonly signal?: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly isTruncated: boolean;
}

/** Why nothing was run, or it is not known how it ended. */
export type Unrun =
  'no-agent' | 'agent-silent' | 'agent-odd' | 'not-allowed' | 'unreachable' | 'gone' | 'interrupted';

export type CommandOutcome =
  | { readonly kind: 'ended'; readonly process: EndedProcess }
  /** It goes on in the guest: PVE cannot end it. */
  | { readonly kind: 'timeout' }
  /** It printed more than is taken. */
  | { readonly kind: 'flood' }
  /** The agent could not start it, in its own words. */
  | { readonly kind: 'not-started'; readonly text: string }
  | { readonly kind: 'not-run'; readonly why: Unrun; readonly text?: string };
