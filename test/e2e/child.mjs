// The built command line in a process of its own. Its time is that of the simulated cluster, which it asks over a socket.
import fs from 'node:fs/promises';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

const { TEST_BIN, TEST_TIME, TEST_HOLD } = process.env;
const { main, processIo } = await import(TEST_BIN);

// No limit on a request or a connection ends anything because the machine was slow, or the server's process stopped.
const { setTimeout } = globalThis;
globalThis.setTimeout = (work, ms = 0, ...args) =>
  ms < 1000 ? setTimeout(work, ms, ...args) : setTimeout(() => undefined, 2 ** 31 - 1).unref();

const agent = new http.Agent({ keepAlive: true });
let now = Date.now();

/** Answered when that much time has passed there. */
function ask(ms, signal) {
  return new Promise((resolve, reject) => {
    const request = http.get(`${TEST_TIME}/${ms}`, { agent, signal }, (response) => {
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

// Stops for good where a file is about to be replaced, and says so: there it can be killed.
if (TEST_HOLD) {
  const { rename } = fs;
  fs.rename = async (from, to) => {
    if (!to.endsWith(TEST_HOLD)) return rename(from, to);
    process.stderr.write('HELD\n');
    await new Promise(() => undefined);
  };
  syncBuiltinESMExports();
}

await ask(0);
process.exitCode = await main(process.argv.slice(2), {
  ...processIo(),
  clock: { now: () => now, sleep: ask },
});
agent.destroy();
