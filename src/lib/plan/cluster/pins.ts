/** Choices that a saved plan made, for the planner to make again. A pin is a wish: it is granted where the planner could choose the same by itself. */

export interface Pins {
  /** `since=` of what the plan makes. */
  readonly since?: string;
  /** Userid → node of the stand. */
  readonly nodes: ReadonlyMap<string, string>;
  /** Userids of stands that found no room. */
  readonly leftOut: ReadonlySet<string>;
  /** By `pinnedMachine`. */
  readonly vmids: ReadonlyMap<string, number>;
  /** By `pinnedBridge`. */
  readonly bridges: ReadonlyMap<string, string>;
  /** By `pinnedReplica`. */
  readonly replicas: ReadonlyMap<string, number>;
}

export const NO_PINS: Pins = {
  nodes: new Map(),
  leftOut: new Set(),
  vmids: new Map(),
  bridges: new Map(),
  replicas: new Map(),
};

export function pinKey(userid: string, machine: string): string {
  return `${userid} ${machine}`;
}

export function pinnedBridge(userid: string, node: string, alias: string): string {
  return `${userid} ${node} ${alias}`;
}

/** Copy of a template (VMID) that lives on `home`. */
export function pinnedReplica(source: number, home: string): string {
  return `${source}@${home}`;
}
