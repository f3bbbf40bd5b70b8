/** Serves the embedded PVE, or the stand-in of VMmanager 6, over HTTPS for other clients, until it is stopped. */
import { defaultScenario, loadScenario } from '../../lib/simulator/scenario.ts';
import type { Scenario } from '../../lib/simulator/scenario-types.ts';
import { startSimulator, type Simulator } from '../../lib/simulator/simulator.ts';
import { UsageError } from '../../lib/errors.ts';
import { readState, saveState } from '../../lib/simulator/persistence.ts';
import { isVmmanagerScenario, loadVmmanagerScenario } from '../../lib/vmmanager-stand-in/scenario.ts';
import { serveStandIn, type ServedStandIn } from '../../lib/vmmanager-stand-in/served.ts';
import type { ProgramIo } from '../io.ts';
import { createOutput } from '../output.ts';
import { assertNoState, assertStateFile, readScenario } from '../simulated-files.ts';
import type { GlobalFlags } from '../options.ts';
import { certificateOf } from './certificate.ts';
import { usualVersion } from '../../lib/simulator/version.ts';

export interface SimulateFlags extends GlobalFlags {
  readonly port: number;
  readonly speed?: number;
}

function describe(simulator: Simulator, fingerprint: string, version: string): string {
  const { tokenId, secret, user, password } = simulator.credentials;
  return [
    `simulated PVE ${version} at https://127.0.0.1:${simulator.port} (tasks end ${simulator.speed} times as fast)`,
    '',
    `  export PVE_HOST=127.0.0.1:${simulator.port}`,
    `  export PVE_FINGERPRINT=${fingerprint}`,
    `  export PVE_TOKEN_ID='${tokenId}' PVE_TOKEN_SECRET=${secret}`,
    '',
    `  curl -k -H "Authorization: PVEAPIToken=${tokenId}=${secret}" https://127.0.0.1:${simulator.port}/api2/json/nodes`,
    `  login: ${user}, password: ${password} (of the simulation only)`,
    '',
    'stop with Ctrl-C',
    '',
  ].join('\n');
}

async function start<T>(port: number, serve: () => Promise<T>): Promise<T> {
  try {
    return await serve();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    const why = code === 'EADDRINUSE' ? 'is in use' : 'may not be used by this account';
    throw new UsageError('PORT', `port ${port} ${why}`, {
      hint: 'choose another with --port',
      cause: error,
    });
  }
}

function stopOf(io: ProgramIo): Promise<void> {
  return new Promise((resolve) => {
    io.onSignal(() => resolve());
  });
}

async function simulatePve(io: ProgramIo, flags: SimulateFlags, scenario: Scenario): Promise<void> {
  const output = createOutput(io, flags);
  if (flags.simulateState !== undefined) await assertStateFile(flags.simulateState);
  const state = flags.simulateState === undefined ? undefined : readState(flags.simulateState);
  const version = state?.version ?? scenario.version ?? usualVersion;
  const tls = await certificateOf(flags.simulateState, io.clock.now());
  const stopped = stopOf(io);
  const simulator = await start(flags.port, () =>
    startSimulator({
      scenario,
      port: flags.port,
      tls,
      ...(state ? { state } : {}),
      ...(flags.speed === undefined ? {} : { speed: flags.speed }),
    }),
  );
  output.result(
    {
      url: `https://127.0.0.1:${simulator.port}`,
      version,
      fingerprint: tls.fingerprint,
      speed: simulator.speed,
      ...simulator.credentials,
    },
    () => describe(simulator, tls.fingerprint, version),
  );
  await stopped;
  try {
    if (flags.simulateState !== undefined) await saveState(simulator, flags.simulateState);
  } finally {
    await simulator.close();
  }
}

/** In the words of the VM Balancer's env-file, which people have. */
function describeVmmanager({ port, speed, credentials }: ServedStandIn, fingerprint: string): string {
  return [
    `stand-in of VMmanager 6 at https://127.0.0.1:${port} (tasks end ${speed} times as fast)`,
    '',
    `  VMMANAGER_HOST=https://127.0.0.1:${port}`,
    `  VMMANAGER_USERNAME=${credentials.email}`,
    `  VMMANAGER_PASSWORD=${credentials.password}`,
    '  VERIFY_SSL=false',
    '',
    `  fingerprint, for connections.yml: ${fingerprint}`,
    '',
    'stop with Ctrl-C',
    '',
  ].join('\n');
}

async function simulateVmmanager(
  io: ProgramIo,
  flags: SimulateFlags,
  { text, path }: { readonly text: string; readonly path: string },
): Promise<void> {
  assertNoState(flags);
  const scenario = loadVmmanagerScenario(text, path);
  const tls = await certificateOf(undefined, io.clock.now());
  const stopped = stopOf(io);
  const { port, speed } = flags;
  const served = await start(port, () => serveStandIn(scenario, { port, tls, speed }));
  createOutput(io, flags).result(
    {
      ...{ url: `https://127.0.0.1:${served.port}`, platform: 'vmmanager6', fingerprint: tls.fingerprint },
      ...{ speed: served.speed, ...served.credentials },
    },
    () => describeVmmanager(served, tls.fingerprint),
  );
  await stopped;
  await served.close();
}

export async function runSimulate(
  io: ProgramIo,
  flags: SimulateFlags,
  file: string | undefined,
): Promise<void> {
  const path = file ?? (typeof flags.simulate === 'string' ? flags.simulate : undefined);
  if (path === undefined) return simulatePve(io, flags, defaultScenario());
  const text = readScenario(path);
  if (isVmmanagerScenario(text, path)) return simulateVmmanager(io, flags, { text, path });
  return simulatePve(io, flags, loadScenario(text, path));
}
