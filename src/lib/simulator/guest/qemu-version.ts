/** Which QEMU is installed on a node, which machine types it knows, and which one a running machine has. Reads only. */
import type { Sim } from '../sim.ts';
import type { GuestConfig, GuestState } from '../state.ts';

/** pve-qemu-kvm as released with each pve-manager; the highest release that is not newer counts. */
const released: readonly (readonly [pve: string, qemu: string])[] = [
  ['7.0', '6.0.0'],
  ['7.2', '6.2.0'],
  ['7.3', '7.1.0'],
  ['7.4', '7.2.0'],
  ['8.0', '8.0.2'],
  ['8.1', '8.1.2'],
  ['8.2', '8.1.5'],
  ['8.3', '9.0.2'],
  ['8.4', '9.2.0'],
  ['9.0', '10.0.2'],
  ['9.1', '10.1.2'],
  ['9.2', '11.0.0'],
];
const versions = '3.1 4.2 5.2 6.0 6.1 6.2 7.0 7.1 7.2 8.0 8.1 8.2 9.0 9.1 9.2 10.0 10.1 10.2 11.0'.split(' ');

/** qemu-server Machine.pm, PVE_MACHINE_VERSION: revisions of the layout, and the release that brought them. */
const revisions: Readonly<Record<string, readonly [highest: number, since: string]>> = {
  '4.1': [2, '6.0'],
  '9.2': [1, '8.4'],
  '10.0': [1, '9.0'],
  '11.0': [2, '9.2'],
};

const numberOf = (version: string): number => {
  const [major = '0', minor = '0'] = version.split('.');
  return Number(major) * 1000 + Number.parseInt(minor, 10);
};

const pveOn = (sim: Sim, node: string): string => sim.world.node(node).pveVersion ?? sim.facts.full;

export function qemuOn(sim: Sim, node: string): string {
  const own = sim.world.node(node).qemuVersion;
  if (own !== undefined) return own;
  const pve = numberOf(pveOn(sim, node));
  return released.findLast(([release]) => numberOf(release) <= pve)?.[1] ?? '5.2.0';
}

/** The highest revision of a version that the node's qemu-server knows. */
function revisionOn(sim: Sim, node: string, version: string): number {
  const [highest, since] = revisions[version] ?? [0, '0.0'];
  return numberOf(since) <= numberOf(pveOn(sim, node)) ? highest : 0;
}

/** API2/Qemu/Machine.pm: what QEMU brought, and since 8.4 the revisions of those. */
export function machineTypesOn(sim: Sim, node: string): Record<string, string>[] {
  const newest = numberOf(qemuOn(sim, node));
  const withRevisions = numberOf(pveOn(sim, node)) >= numberOf('8.4');
  return versions
    .filter((version) => numberOf(version) <= newest)
    .flatMap((version) => {
      const count = withRevisions ? revisionOn(sim, node, version) : 0;
      const suffixes = ['', ...Array.from({ length: count }, (_, i) => `+pve${i + 1}`)];
      return ['i440fx', 'q35'].flatMap((type) =>
        suffixes.map((suffix) => ({ id: `pc-${type}-${version}${suffix}`, type, version: version + suffix })),
      );
    });
}

/** With the version that a start on the node gives it. */
function machineFor(sim: Sim, node: string, config: Readonly<GuestConfig>): string {
  const written = /^(?:type=)?([^,]+)/.exec(config['machine'] ?? '')?.[1] ?? 'pc';
  if (/-\d/.test(written)) return written.includes('+pve') ? written : `${written}+pve0`;
  const version = /^\d+\.\d+/.exec(qemuOn(sim, node))?.[0] ?? '';
  const kind = written.includes('q35') ? 'q35' : 'i440fx';
  return `pc-${kind}-${version}+pve${revisionOn(sim, node, version)}`;
}

/** What a start on the node makes of it; it stays so until the machine is stopped. */
export function processOn(
  sim: Sim,
  node: string,
  config: Readonly<GuestConfig>,
): NonNullable<GuestState['process']> {
  return { machine: machineFor(sim, node, config), qemu: qemuOn(sim, node) };
}

export function processOf(sim: Sim, guest: GuestState): NonNullable<GuestState['process']> {
  return guest.process ?? processOn(sim, guest.node, guest.config);
}

export function isOlderMachine(type: string, version: string): boolean {
  const own = /-(\d+\.\d+)/.exec(type)?.[1];
  return own !== undefined && numberOf(own) < numberOf(version);
}

/** QemuServer.pm config_to_command: why the node's QEMU cannot run a machine type; undefined: it can. */
export function machineProblem(sim: Sim, node: string, type: string): string | undefined {
  const [, version = '', revision = '0'] = /-(\d+\.\d+)[^+]*(?:\+pve(\d+))?/.exec(type) ?? [];
  const qemu = qemuOn(sim, node);
  if (version === '') return undefined;
  if (numberOf(version) > numberOf(qemu))
    return `Installed QEMU version '${qemu}' is too old to run machine type '${type}', please upgrade node '${node}'`;
  const highest = revisionOn(sim, node, version);
  return Number(revision) <= highest
    ? undefined
    : `Installed qemu-server (max feature level for ${version} is pve${highest}) is too old to run machine type '${type}', please upgrade node '${node}'`;
}
