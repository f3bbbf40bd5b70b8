/** The PVE client: every endpoint we use as one method. Must not hold policy; that is the callers'. */
import { accessApi } from './access-api.ts';
import { clusterApi } from './cluster-api.ts';
import { guestApi } from './guest-api.ts';
import { haApi } from './ha-api.ts';
import { PveHttp, type HttpOptions } from './http.ts';
import { loadApi } from './load-api.ts';
import { migrateApi } from './migrate-api.ts';
import { networkApi } from './network-api.ts';
import { poolApi } from './pool-api.ts';
import { taskApi } from './task-api.ts';
import type { PveApi } from './types.ts';
import { versionGate } from './version-gate.ts';

export interface PveClient extends PveApi {
  /** Closes idle connections. */
  close(): void;
}

/** Connects to nothing yet: the first method called does. Throws ConfigError for a host that cannot be one. */
export function createPveClient(options: HttpOptions): PveClient {
  const http = new PveHttp(options);
  const cluster = clusterApi(http);
  const isNine = versionGate(http, cluster.version, [9, 0]);
  return {
    ...cluster,
    ...accessApi(http, cluster.version, options.connection.auth),
    ...poolApi(http, cluster.version),
    ...networkApi(http),
    ...guestApi(http),
    ...loadApi(http, versionGate(http, cluster.version, [8, 3])),
    ...haApi(http, isNine),
    ...migrateApi(http, isNine),
    ...taskApi(http),
    close: () => {
      http.close();
    },
  };
}
