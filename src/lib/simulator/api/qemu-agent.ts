/** `…/agent/*`. See qemu-server API2/Qemu/Agent.pm and QemuServer/Agent.pm. What is inside a guest the scenario says. */
import { splitList } from '../contract/formats.ts';
import { isNetKey, loadGuest, parseNet } from '../guest/guest-config.ts';
import { guestName, isRunning } from '../guest/guest-view.ts';
import { die } from '../pve-error.ts';
import type { Call, Handler, Handlers, Sim } from '../sim.ts';
import type { AgentCommand, AgentState, GuestState } from '../state.ts';
import { isWide } from '../http/wide-character.ts';

/** QMPClient.pm: a ping is waited for 3 s, other commands 5 s. */
const pingTimeoutMs = 3_000;
const commandTimeoutMs = 5_000;

/** What its template brought, and over that what the scenario says of this guest; its commands are looked at first. */
function agentOf(sim: Sim, guest: GuestState): AgentState {
  const own = sim.agents.get(guest.vmid);
  return {
    ...guest.agent,
    ...own,
    commands: [...(own?.commands ?? []), ...(guest.agent?.commands ?? [])],
  };
}

const isConfigured = (guest: GuestState): boolean => /(?:^|enabled=)1/.test(guest.config['agent'] ?? '');

function answersPing(sim: Sim, guest: GuestState): boolean {
  const up = sim.clock.now() - (guest.runningSince ?? Infinity);
  return (
    !guest.paused &&
    guest.halted === undefined &&
    agentOf(sim, guest).state !== 'absent' &&
    up >= sim.clock.lasts(sim.latency.guest_boot_s * 1000)
  );
}

/** Agent.pm agent_available: every command is preceded by a ping. */
async function available(call: Call): Promise<GuestState> {
  const { sim, params, node } = call;
  const guest = loadGuest(sim, node, params.number('vmid'));
  if (!isConfigured(guest)) die('No QEMU guest agent configured');
  if (!isRunning(guest)) die(`VM ${guest.vmid} is not running`);
  if (answersPing(sim, guest)) return guest;
  await sim.clock.sleep(pingTimeoutMs);
  return die('QEMU guest agent is not running');
}

/** `name` is the agent's command without `guest-`. */
function agentCommand(name: string, answer: (call: Call, guest: GuestState) => unknown): Handler {
  return async (call) => {
    const guest = await available(call);
    const { state } = agentOf(call.sim, guest);
    if (state === 'stuck' && name !== 'ping') {
      await call.sim.clock.sleep(commandTimeoutMs);
      die(`VM ${guest.vmid} qga command 'guest-${name}' failed - got timeout`);
    }
    // Whatever JSON a guest returns, PVE passes on.
    if (state === 'garbage') return name === 'ping' ? { result: garbage } : garbageOf(name);
    return answer(call, guest);
  };
}

const garbage = '\u001b[2J<script>';

/** exec-status looks into what it got (Agent.pm qemu_exec_status); other commands do not. */
function garbageOf(name: string): unknown {
  if (name === 'exec-status') return { exited: 'perhaps', exitcode: garbage, 'out-data': [garbage] };
  return name === 'exec' ? { pid: garbage } : { result: garbage };
}

const loopback = {
  name: 'lo',
  'hardware-address': '00:00:00:00:00:00',
  'ip-addresses': [
    { 'ip-address': '127.0.0.1', 'ip-address-type': 'ipv4', prefix: 8 },
    { 'ip-address': '::1', 'ip-address-type': 'ipv6', prefix: 128 },
  ],
};

/** Of a guest that asks a DHCP server: one in 10.0.0.0/8 that goes with its number. */
const leased = ({ vmid }: GuestState): string =>
  `10.${(vmid >> 16) & 255}.${(vmid >> 8) & 255}.${vmid & 255}/8`;

/** The scenario's, else cloud-init's, else a lease on the first NIC. */
function addressesOf(sim: Sim, guest: GuestState, index: string): readonly string[] {
  const named = index === '0' ? agentOf(sim, guest).addresses : undefined;
  if (named) return named;
  const entries = (guest.config[`ipconfig${index}`] ?? '').split(',');
  const fixed = entries.flatMap((entry) => /^ip6?=(.+\/\d+)$/.exec(entry)?.[1] ?? []);
  if (fixed.length > 0) return fixed;
  return index === '0' || entries.includes('ip=dhcp') ? [leased(guest)] : [];
}

function interfaces({ sim }: Call, guest: GuestState): unknown {
  const nics = Object.keys(guest.config).filter(isNetKey).sort();
  const rows = nics.map((key) => {
    const index = key.slice(3);
    return {
      name: `eth${index}`,
      'hardware-address': parseNet(sim.contract, guest.config[key] ?? '')['macaddr']?.toLowerCase(),
      'ip-addresses': addressesOf(sim, guest, index).map((address) => {
        const [ip = '', prefix = ''] = address.split('/');
        const type = ip.includes(':') ? 'ipv6' : 'ipv4';
        return { 'ip-address': ip, 'ip-address-type': type, prefix: Number(prefix) };
      }),
    };
  });
  return { result: [loopback, ...rows] };
}

function withoutEmptyEnd(items: readonly string[]): string[] {
  return items.slice(0, items.findLastIndex((item) => item !== '') + 1);
}

function commandOf({ sim, params }: Call): string[] | undefined {
  const items = params.optList('command');
  if (sim.facts.major > 7 || !items) return items;
  // A string on 7.4 (Tools.pm split_list): without NULs it is split like any list there, with them as Perl's split does it.
  return items.length === 1 ? splitList(items[0] ?? '') : withoutEmptyEnd(items);
}

function runFor(sim: Sim, guest: GuestState, command: readonly string[]): AgentCommand {
  const text = command.join(' ');
  const found = agentOf(sim, guest).commands?.find((one) => one.run === undefined || one.run === text);
  if (found) return found;
  const reason = `Failed to execute child process "${command[0] ?? ''}" (No such file or directory)`;
  return die(`Agent error: Guest agent command failed, error was '${reason}'`);
}

function exec(call: Call, guest: GuestState): unknown {
  const command = commandOf(call) ?? [];
  if (command.length === 0 && !call.params.has('input-data')) {
    die('command or input-data (or both) required');
  }
  if (command.length === 0) die("Agent error: Parameter 'path' is missing");
  // QMPClient.pm writes JSON that was never encoded into a socket; encode_base64 of input-data dies of the same.
  if ([...command, call.params.text('input-data')].some(isWide)) {
    die('Wide character in syswrite at /usr/share/perl5/IO/Multiplex.pm line 718.');
  }
  const run = runFor(call.sim, guest, command);
  const known = guest.agentProcesses ?? [];
  const pid = call.sim.world.nextPid++;
  const endsAt = call.sim.clock.after((run.seconds ?? 0) * 1000);
  guest.agentProcesses = [...known, { pid, endsAt, command: run }];
  return { pid: agentOf(call.sim, guest).claims_pid ?? pid };
}

/** commands-posix.c and guest-exec: what is printed beyond is thrown away. */
const mostOutput = 16 * 1024 * 1024;

/** PVE decodes base64 into bytes and writes each as the character of its number (Agent.pm, to_json with utf8). */
function printed(output: Buffer, repeat = 1): { readonly text: string; readonly truncated: boolean } {
  const times = Math.min(repeat, Math.ceil(mostOutput / Math.max(output.length, 1)));
  const all = output.toString('latin1').repeat(times);
  return {
    text: all.slice(0, mostOutput),
    truncated: output.length * repeat > mostOutput,
  };
}

function outputOf({ output, output_base64, repeat }: AgentCommand): Record<string, unknown> {
  if (output === undefined && output_base64 === undefined) return {};
  const bytes = output === undefined ? Buffer.from(output_base64 ?? '', 'base64') : Buffer.from(output);
  const { text, truncated } = printed(bytes, repeat);
  return { 'out-data': text, ...(truncated ? { 'out-truncated': 1 } : {}) };
}

/** The agent forgets a process when it has told its end. */
function execStatus({ sim, params }: Call, guest: GuestState): unknown {
  const pid = params.number('pid');
  const found =
    guest.agentProcesses?.find((one) => one.pid === pid) ?? die("Agent error: Invalid parameter 'pid'");
  if (sim.clock.now() < found.endsAt) return { exited: 0 };
  guest.agentProcesses = guest.agentProcesses?.filter((one) => one !== found);
  const { exitcode = 0, signal, error } = found.command;
  return {
    exited: 1,
    ...(signal === undefined ? { exitcode } : { signal }),
    ...outputOf(found.command),
    ...(error === undefined ? {} : { 'err-data': printed(Buffer.from(error)).text }),
  };
}

function osInfo({ sim }: Call, guest: GuestState): unknown {
  const pretty = agentOf(sim, guest).os ?? 'Debian GNU/Linux 12 (bookworm)';
  const id = (pretty.split(' ', 1)[0] ?? '').toLowerCase();
  return { result: { id, name: pretty, 'pretty-name': pretty, machine: 'x86_64' } };
}

const path = '/nodes/{node}/qemu/{vmid}/agent';

export const qemuAgentHandlers: Handlers = {
  [`POST ${path}/ping`]: agentCommand('ping', () => ({ result: {} })),
  [`GET ${path}/network-get-interfaces`]: agentCommand('network-get-interfaces', interfaces),
  [`GET ${path}/get-osinfo`]: agentCommand('get-osinfo', osInfo),
  [`GET ${path}/get-host-name`]: agentCommand('get-host-name', (_, guest) => ({
    result: { 'host-name': guestName(guest) ?? 'localhost' },
  })),
  [`POST ${path}/exec`]: agentCommand('exec', exec),
  [`GET ${path}/exec-status`]: agentCommand('exec-status', execStatus),
};
