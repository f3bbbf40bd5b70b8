/** Serves the embedded PVE over HTTPS for other clients, until it is stopped. */
import { defaultScenario, loadScenario } from '../../lib/simulator/scenario.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../lib/simulator/simulator.ts';
import { UsageError } from '../../lib/errors.ts';
import { readState, saveState } from '../../lib/simulator/persistence.ts';
import { shellWord } from '../../lib/shell.ts';
import { isVmmanagerScenario } from '../../lib/vmmanager-stand-in/scenario.ts';
import type { ProgramIo } from '../io.ts';
import { createOutput } from '../output.ts';
import { assertStateFile, readScenario } from '../simulated-files.ts';
import type { GlobalFlags } from '../options.ts';
import { certificateOf } from './certificate.ts';

export interface SimulateFlags extends GlobalFlags {
  readonly port: number;
  readonly speed?: number;
}

function describe(simulator: Simulator, fingerprint: string, version: string): string {
  const { tokenId, secret, user, password } = simulator.credentials;
  return [
    `simulated PVE ${version} at https://127.0.0.1:${simulator.port} (time runs ${simulator.speed} times as fast)`,
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

async function start(options: SimulatorOptions): Promise<Simulator> {
  try {
    return await startSimulator(options);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    const why = code === 'EADDRINUSE' ? 'is in use' : 'may not be used by this account';
    throw new UsageError('PORT', `port ${options.port ?? 0} ${why}`, {
      hint: 'choose another with --port',
      cause: error,
    });
  }
}

export async function runSimulate(
  io: ProgramIo,
  flags: SimulateFlags,
  file: string | undefined,
): Promise<void> {
  const output = createOutput(io, flags);
  const path = file ?? (typeof flags.simulate === 'string' ? flags.simulate : undefined);
  const text = path === undefined ? undefined : readScenario(path);
  if (path !== undefined && isVmmanagerScenario(text ?? '', path))
    throw new UsageError('PLATFORM', `${path} describes VMmanager 6, which is not served to other programs`, {
      hint: `rehearse with: deploy-stand balance --simulate ${shellWord(path)}`,
    });
  const scenario = path === undefined ? defaultScenario() : loadScenario(text ?? '', path);
  if (flags.simulateState !== undefined) await assertStateFile(flags.simulateState);
  const state = flags.simulateState === undefined ? undefined : readState(flags.simulateState);
  const version = state?.version ?? scenario.version ?? '8.4';
  const tls = await certificateOf(flags.simulateState, io.clock.now());
  const stopped = new Promise<void>((resolve) => {
    io.onSignal(() => resolve());
  });
  const simulator = await start({
    scenario,
    port: flags.port,
    tls,
    ...(state ? { state } : {}),
    ...(flags.speed === undefined ? {} : { speed: flags.speed }),
  });
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
