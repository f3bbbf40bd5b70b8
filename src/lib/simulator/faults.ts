/** Planned misfortune: which requests fail, vanish, crawl, or start tasks that fail. Must not touch the cluster. */

export interface FaultMatch {
  /** `GET`, `POST`…; `WRITE`: any but GET; absent: any. */
  readonly method?: string;
  /** A template (`/nodes/{node}/qemu`), a concrete path, or a regular expression over the concrete path. */
  readonly path: string | RegExp;
}

export interface FaultTiming {
  readonly match: FaultMatch;
  /** Only the n-th matching request, counted from 1. */
  readonly nth?: number;
  /** Every n-th matching request. */
  readonly every?: number;
  /** Spent after it struck once. */
  readonly once?: boolean;
}

export type RequestFault = FaultTiming &
  (
    | { readonly action: 'fail'; readonly status: number; readonly text: string }
    | { readonly action: 'drop-before' | 'drop-after' }
    /** The worker process is killed before it runs: nothing was started, and asking again is safe. */
    | { readonly action: 'no-worker' }
    | { readonly action: 'task-fail'; readonly exitstatus: string }
    | { readonly action: 'slow'; readonly ms: number }
  );

/** Takes effect `afterSeconds` (simulated) from when it is added. */
export interface NodeFault {
  readonly action: 'node-offline' | 'node-online';
  readonly node: string;
  readonly afterSeconds?: number;
}

/** As node faults, for the whole cluster: without quorum its file system takes no write. */
export interface QuorumFault {
  readonly action: 'quorum-lost' | 'quorum-back';
  readonly afterSeconds?: number;
}

export type Fault = RequestFault | NodeFault | QuorumFault;

interface Armed {
  readonly fault: RequestFault;
  seen: number;
  spent: boolean;
}

function matches(match: FaultMatch, method: string, template: string, path: string): boolean {
  const wanted = match.method === 'WRITE' && method !== 'GET' ? method : match.method;
  if (wanted !== undefined && wanted !== method) return false;
  if (match.path instanceof RegExp) return match.path.test(path);
  return match.path === template || match.path === path;
}

interface FaultRequest {
  readonly method: string;
  readonly template: string;
  readonly path: string;
  /** It begins a task. */
  readonly task: boolean;
}

/** What each strikes; of a further one the dispatcher has to say when. */
const STRIKES: Readonly<Record<RequestFault['action'], 'request' | 'task'>> = {
  ...{ fail: 'request', 'drop-before': 'request', 'drop-after': 'request', slow: 'request' },
  ...{ 'no-worker': 'task', 'task-fail': 'task' },
};

export function isOfTask(action: RequestFault['action']): boolean {
  return STRIKES[action] === 'task';
}

export class Faults {
  readonly #armed: Armed[] = [];

  add(fault: RequestFault): void {
    this.#armed.push({ fault, seen: 0, spent: false });
  }

  /** The faults that strike this request. Those of tasks count the requests that begin one. */
  strike(request: FaultRequest): RequestFault[] {
    const { method, template, path, task } = request;
    const struck: RequestFault[] = [];
    for (const armed of this.#armed) {
      const { fault } = armed;
      if (armed.spent || (isOfTask(fault.action) && !task)) continue;
      if (!matches(fault.match, method, template, path)) continue;
      armed.seen += 1;
      if (fault.nth !== undefined && armed.seen !== fault.nth) continue;
      if (fault.every !== undefined && armed.seen % fault.every !== 0) continue;
      armed.spent = fault.once === true || fault.nth !== undefined;
      struck.push(fault);
    }
    return struck;
  }
}
