/** The PVE client: every endpoint we use as one method. Must not hold policy; that is the callers'. */
import { accessApi } from './access-api.ts';
import { agentApi } from './agent-api.ts';
import { clusterApi } from './cluster-api.ts';
import { guestApi } from './guest-api.ts';
import { haApi } from './ha-api.ts';
import { PveHttp, type HttpOptions, type Requests } from './http.ts';
import { loadApi } from './load-api.ts';
import { migrateApi } from './migrate-api.ts';
import { networkApi } from './network-api.ts';
import { poolApi } from './pool-api.ts';
import { sdnApi } from './sdn-api.ts';
import { stockApi } from './stock-api.ts';
import { taskApi } from './task-api.ts';
import type { PveApi, RunPve } from './types.ts';
import { versionGates } from './version-gate.ts';

export interface PveClient extends RunPve {
  /** How many requests were sent so far, logins and repeated ones among them. */
  requests(): number;
  /** Closes all connections; what waits or is under way fails. */
  close(): void;
}

/** Connects to nothing yet: the first method called does. Throws ConfigError for a host that cannot be one. */
export function createPveClient(options: HttpOptions): PveClient {
  const http = new PveHttp(options);
  const { gate, version } = versionGates(http, clusterApi(http).version);
  const gates = {
    isByQuery: gate([8, 1]),
    confirms: gate([8, 2]),
    hasMetrics: gate([8, 3]),
    isNine: gate([9, 0]),
    takesArrays: gate([8, 0]),
  };
  // Each step has one, and a spread of so many methods takes forty times as long.
  const over = (requests: Requests): PveApi =>
    Object.assign(
      Object.assign(
        clusterApi(requests),
        accessApi(requests, options.connection.auth, gates.confirms),
        poolApi(requests, gates.isByQuery),
        networkApi(requests),
      ),
      Object.assign(guestApi(requests), loadApi(requests, gates.hasMetrics), taskApi(requests)),
      Object.assign(haApi(requests, gates.isNine), sdnApi(requests), stockApi(requests)),
      Object.assign(migrateApi(requests, gates.isNine), agentApi(requests, gates.takesArrays)),
    );
  return {
    ...over(http),
    version,
    forStep: (id) => over(http.forStep(id)),
    requests: () => http.requests,
    close: () => {
      http.close();
    },
  };
}
