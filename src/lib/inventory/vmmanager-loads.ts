/** Load averages and QEMU versions of VMmanager's nodes, over SSH: one command for each. What is missing is a gap. */
import pMap from 'p-map';
import { groupBy } from '../group.ts';
import { compareNatural } from '../order.ts';
import { shellWord } from '../shell.ts';
import type { SshHost, SshResult, SshTrouble } from '../ssh/types.ts';
import type { SeenNode, VmmanagerInventory } from './vmmanager-types.ts';

const AT_ONCE = 16;
const SSH_PORT = 22;

/** Reads only. The names that distributions give to QEMU; the first that is there speaks. */
const COMMAND =
  'cat /proc/loadavg; for q in qemu-system-x86_64 qemu-kvm /usr/libexec/qemu-kvm; do "$q" --version 2>/dev/null && break; done';

export interface SshAccess {
  /** Where VMmanager names no account. */
  readonly user?: string;
  /** Name or number of a node → host, where VMmanager tells no address. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly knownHostsFile: string;
  readonly ask: (at: SshHost, command: string) => Promise<SshResult>;
}

interface Reading {
  readonly loadAverage: number;
  readonly qemuVersion?: string;
}

/** The first line is `/proc/loadavg`'s; what a login script prints before it is not looked through. */
function readingOf(output: string): Reading | undefined {
  const [first = '', ...rest] = output.split('\n');
  const load = /^(\d{1,6}\.\d{2}) \d{1,6}\.\d{2} \d{1,6}\.\d{2} \d+\/\d+ \d+\s*$/.exec(first)?.[1];
  const qemu = /^QEMU emulator version (\d+(?:\.\d+){1,3})/m.exec(rest.join('\n'))?.[1];
  if (load === undefined) return undefined;
  return { loadAverage: Number(load), ...(qemu === undefined ? {} : { qemuVersion: qemu }) };
}

type Answer = { readonly reading: Reading } | { readonly trouble: SshTrouble };

const NO_ACCOUNT: SshTrouble = {
  kind: 'login',
  words: 'VMmanager names no account for it: set SSH_USERNAME',
};

/** VMmanager's own address goes first, then the mapping, then the node's name, as the VM Balancer had it. */
function addressOf({ id, name, address, sshPort }: SeenNode, { hosts }: SshAccess): Omit<SshHost, 'user'> {
  const mapped = [name, String(id)].find((key) => Object.hasOwn(hosts, key));
  const host = address ?? (mapped === undefined ? undefined : hosts[mapped]) ?? name;
  return { host, port: sshPort ?? SSH_PORT };
}

async function ask(node: SeenNode, access: SshAccess): Promise<Answer> {
  const user = node.sshUser ?? access.user;
  if (user === undefined) return { trouble: NO_ACCOUNT };
  const result = await access.ask({ ...addressOf(node, access), user }, COMMAND);
  if ('trouble' in result) return result;
  const reading = readingOf(result.output);
  return reading ? { reading } : { trouble: { kind: 'answer', words: 'it answers something else' } };
}

/** What to do about it, for all nodes of one trouble. */
function wayOut(kind: SshTrouble['kind'], nodes: readonly SeenNode[], access: SshAccess): string {
  const places = nodes.map((node) => addressOf(node, access));
  const file = shellWord(access.knownHostsFile);
  if (kind === 'unknown-key') {
    const commands = [...groupBy(places, ({ port }) => port)].map(
      ([port, those]) =>
        `ssh-keyscan ${port === SSH_PORT ? '' : `-p ${port} `}${those.map(({ host }) => shellWord(host)).join(' ')} >> ${file}`,
    );
    return `; compare it with the node's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then: ${commands.join('; ')}`;
  }
  if (kind !== 'changed-key') return '';
  const names = places.map(({ host, port }) => shellWord(port === SSH_PORT ? host : `[${host}]:${port}`));
  const commands = names.map((name) => `ssh-keygen -R ${name} -f ${file}`);
  return `; if the node was installed anew: ${commands.join('; ')}`;
}

interface Failed {
  readonly node: SeenNode;
  readonly trouble: SshTrouble;
}

/** What is true of several nodes is said once. */
function gapsOf(failed: readonly Failed[], access: SshAccess): string[] {
  const sorted = [...failed].sort((a, b) => compareNatural(a.node.name, b.node.name));
  return [...groupBy(sorted, ({ trouble: { kind } }) => kind)].map(([kind, those]) => {
    const texts = [...groupBy(those, ({ trouble: { words } }) => words)].map(
      ([words, ones]) => `${ones.map(({ node }) => node.name).join(', ')}: ${words}`,
    );
    const nodes = those.map(({ node }) => node);
    return `no load average over SSH of ${texts.join('; ')}${wayOut(kind, nodes, access)}`;
  });
}

/** `clusters`: the numbers of those that are looked at. What SSH says of QEMU is what is installed, and counts. */
export async function readLoads(
  have: VmmanagerInventory,
  clusters: ReadonlySet<number>,
  access: SshAccess,
): Promise<VmmanagerInventory> {
  const readings = new Map<number, Reading>();
  const failed: Failed[] = [];
  const asked = have.nodes.filter(({ online, cluster }) => online && clusters.has(cluster));
  await pMap(
    asked,
    async (node) => {
      const answer = await ask(node, access);
      if ('reading' in answer) readings.set(node.id, answer.reading);
      else failed.push({ node, trouble: answer.trouble });
    },
    { concurrency: AT_ONCE },
  );
  return {
    ...have,
    nodes: have.nodes.map((node) => ({ ...node, ...readings.get(node.id) })),
    gaps: [...have.gaps, ...gapsOf(failed, access)],
  };
}
