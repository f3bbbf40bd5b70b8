// The built command line in a process of its own. Its time is that of the simulated cluster, which it asks over a socket.
import http from 'node:http';
import { main } from '../../dist/cli.js';

const agent = new http.Agent({ keepAlive: true });
let now = Date.now();

/** Answered when that much time has passed there. */
function ask(ms, signal) {
  return new Promise((resolve, reject) => {
    const request = http.get(`${process.env.TEST_TIME}/${ms}`, { agent, signal }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => {
        now = Number(text);
        resolve();
      });
    });
    request.on('error', (error) => reject(signal?.aborted ? signal.reason : error));
  });
}

const listeners = new Set();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    for (const listener of listeners) listener(signal);
  });

await ask(0);
process.exitCode = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  configDir: '/nonexistent',
  clock: { now: () => now, sleep: ask },
  signature: { name: `child@host/${process.pid}`, isGone: () => false },
  onStop: (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
});
agent.destroy();
