// The whole command line on a simulated cluster in this process, on virtual time. Needs `npm run build`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { main } from '../dist/cli.js';
import { inProcess } from '../dist/lib/proxmox/transports/in-process.js';
import { createSimulator } from '../dist/lib/simulator/simulator.js';
import { VirtualTime } from '../dist/lib/simulator/time/virtual-time.js';

class Text extends Writable {
  text = '';
  _write(chunk, _, done) {
    this.text += chunk;
    done();
  }
}

/** A cluster of its own, and a folder for files; `run` takes an argv and gives what the command said, and how long it took. */
export function startCluster(scenario) {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-stand-bench-'));
  const { simulator, time } = createSimulator({ scenario }, (start) => new VirtualTime(start));
  const { tokenId, secret } = simulator.credentials;
  const run = async (argv) => {
    const stdout = new Text();
    const stderr = new Text();
    const requests = simulator.requests.length;
    const began = time.clock.now();
    const wall = performance.now();
    const code = await main([...argv, '--progress', 'none'], {
      ...{ stdout, stderr, clock: time.clock },
      signature: { name: () => 'bench', isGone: () => false },
      env: { PVE_HOST: '127.0.0.1:1', PVE_TOKEN_ID: tokenId, PVE_TOKEN_SECRET: secret },
      connect: inProcess(simulator.serve, time),
      onSignal: () => () => undefined,
    });
    if (code !== 0)
      throw new Error(`${argv.join(' ')}: ${code}\n${`${stdout.text}${stderr.text}`.slice(-2000)}`);
    return {
      stdout: stdout.text,
      seconds: (time.clock.now() - began) / 1000,
      requests: simulator.requests.length - requests,
      wall: (performance.now() - wall) / 1000,
    };
  };
  const stop = () => {
    time.stop();
    rmSync(folder, { recursive: true });
  };
  return { folder, simulator, time, run, stop };
}
