/** Checks that the configuration of a machine answers, and why others cannot be run in it. Pure. */
import type { Check, CommandCheck, NicCheck } from '../../config/checks/types.ts';
import { parseBridge } from '../../pve-values/bridge-name.ts';
import { machinePower } from '../../pve-values/machine-power.ts';
import { presentNics, type PresentNic } from '../../pve-values/nics.ts';
import { bridgesOf, type ClusterView } from '../cluster/view.ts';
import { isWritable, type Verdict } from '../stands/ownership.ts';
import type { StandMachine, StandView } from '../stands/selected.ts';
import type { Finding, WhyNotRun } from './checks-types.ts';

const GONE: ReadonlySet<Verdict> = new Set(['missing', 'open', 'in-flight']);

/** Undefined: the machine is there and ours. */
export function whyNotThere(machine: StandMachine | undefined): WhyNotRun | undefined {
  if (!machine || GONE.has(machine.verdict)) return 'missing';
  if (machine.verdict === 'away') return 'node-offline';
  return machine.guest && isWritable(machine.verdict) ? undefined : 'not-ours';
}

/** Undefined: its agent can be asked. */
export function whyNotAsked(machine: StandMachine | undefined): WhyNotRun | undefined {
  const why = whyNotThere(machine);
  if (why !== undefined) return why;
  return machine?.guest?.status === 'running' ? undefined : 'off';
}

interface Request {
  readonly stand: StandView;
  readonly machine: StandMachine;
  readonly index: ClusterView;
  readonly snapshots: ReadonlyMap<number, readonly string[]>;
}

function bridgesFor({ network }: NicCheck, { stand, machine, index }: Request): string[] {
  const { name, kind } = parseBridge(network, false);
  if (kind === 'real') return [name];
  const node = machine.guest?.node;
  const marked = bridgesOf({ lab: stand.claim.lab, user: stand.user }, name, index);
  return marked.filter((one) => one.node === node).map(({ info }) => info.iface);
}

function cardText({ index, bridge, tag, isDown }: PresentNic): string {
  const where = bridge === undefined ? 'nowhere' : `${bridge}${tag === undefined ? '' : `.${tag}`}`;
  return `net${index} in ${where}${isDown === true ? ', unplugged' : ''}`;
}

function judgeNic(check: NicCheck, request: Request): Finding {
  const { config } = request.machine;
  if (!config) return { verdict: 'not-run', why: 'unreadable' };
  const nics = presentNics(config.values);
  const { tag } = parseBridge(check.network, false);
  const bridges = bridgesFor(check, request);
  const isIn = nics.some(
    (nic) =>
      nic.isDown !== true &&
      nic.bridge !== undefined &&
      bridges.includes(nic.bridge) &&
      (tag === undefined || nic.tag === tag),
  );
  const seen = { text: nics.length === 0 ? 'no cards' : nics.map(cardText).join('; ') };
  return isIn === check.connected ? { verdict: 'passed', seen } : { verdict: 'failed', why: 'nic', seen };
}

/** Of a machine that is there and ours. */
export function judgeConfiguration(check: Exclude<Check, CommandCheck>, request: Request): Finding {
  const { machine, snapshots } = request;
  if (check.kind === 'nic') return judgeNic(check, request);
  if (check.kind === 'power') {
    // A paused machine computes nothing, a hibernated one is off.
    const power = machine.guest ? machinePower(machine.guest) : 'unknown';
    const text = power === 'suspending' ? 'running' : power === 'suspended' ? 'stopped' : power;
    return text === check.power
      ? { verdict: 'passed', seen: { text } }
      : { verdict: 'failed', why: 'power', seen: { text } };
  }
  const names = snapshots.get(machine.vmid);
  if (!names) return { verdict: 'not-run', why: 'unreadable' };
  const seen = { text: names.length === 0 ? 'no snapshots' : names.join(', ') };
  return names.includes(check.snapshot)
    ? { verdict: 'passed', seen }
    : { verdict: 'failed', why: 'snapshot', seen };
}
