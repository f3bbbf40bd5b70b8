/** The sockets: where requests get in. Must not know what is asked. */
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Listen } from './types.ts';

/** Of requests that come in slowly; what is sent may take as long as it likes. */
const HEADERS_MS = 10_000;
const MOST_SOCKETS = 2000;

export const listenHere: Listen = async (answer, { host, port }) => {
  const hear = getRequestListener(answer, { overrideGlobalObjects: false });
  const limits = { headersTimeout: HEADERS_MS, requestTimeout: HEADERS_MS };
  // It answers its own errors.
  const server = createServer(limits, (request, response) => void hear(request, response));
  server.maxConnections = MOST_SOCKETS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
};
