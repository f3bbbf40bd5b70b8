/** Simulated installations of VMmanager 6 for tests of the command line, on virtual time. */
import { join } from 'node:path';
import { inProcess } from '../../src/lib/proxmox/transports/in-process.ts';
import type { Connect } from '../../src/lib/proxmox/transports/types.ts';
import { VirtualTime, type TimeOptions } from '../../src/lib/simulator/time/virtual-time.ts';
import type {
  Scenario,
  ScenarioGuest,
  ScenarioNode,
} from '../../src/lib/vmmanager-stand-in/scenario-types.ts';
import type { MutationEvent } from '../../src/lib/vmmanager-stand-in/server.ts';
import { createStandIn, type StandIn } from '../../src/lib/vmmanager-stand-in/stand-in.ts';
import { afterwards } from '../cleanups.ts';
import { runCli, workFolder, writeFiles, type RunOptions, type RunOutcome } from './harness.ts';

export interface Installation extends StandIn {
  readonly time: VirtualTime;
  readonly connect: Connect;
  /** Folder with a connections.yml that names it `vmm`. */
  readonly folder: string;
}

export function node(id: number, change: Partial<ScenarioNode> = {}): ScenarioNode {
  return { id, name: `node${id}`, cluster: 1, cpus: 16, memory_gib: 64, ...change };
}

/** 16 GiB and 4 virtual CPUs. */
export function vm(id: number, home: number, change: Partial<ScenarioGuest> = {}): ScenarioGuest {
  return { id, name: `vm${id}`, node: home, cores: 4, memory_mib: 16 * 1024, ...change };
}

/** Four of 16 GiB on a node of 64 GiB, nothing on the other. */
export function overloaded(change: Partial<Scenario> = {}): Scenario {
  return {
    platform: 'vmmanager6',
    clusters: [{ id: 1, name: 'kvm' }],
    nodes: [node(1), node(2)],
    guests: [vm(101, 1), vm(102, 1), vm(103, 1), vm(104, 1)],
    ...change,
  };
}

export function startInstallation(
  scenario: Scenario = overloaded(),
  onMutation?: (event: MutationEvent) => void,
  options: TimeOptions = {},
): Installation {
  const { standIn, time } = createStandIn(scenario, (start) => new VirtualTime(start, options), onMutation);
  afterwards(() => time.stop());
  const folder = workFolder();
  const { email, password } = standIn.credentials;
  writeFiles(folder, {
    'connections.yml': `vmm:\n  platform: vmmanager6\n  host: vmm.example\n  email: ${email}\n  password: ${password}\n`,
  });
  return { ...standIn, time, folder, connect: inProcess(standIn.serve, time) };
}

/** `balance` on it. */
export function balanceOn(
  installation: Installation,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<RunOutcome> {
  const { folder, time, connect } = installation;
  const named = args.includes('--env-file') ? [] : ['--connections', join(folder, 'connections.yml')];
  return runCli(['balance', ...named, ...args], undefined, { clock: time.clock, connect, ...options });
}
