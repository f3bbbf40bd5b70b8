/** What a machine takes of its host besides storages and bridges: CPUs, devices, mappings, a machine type. Reads only. */
import { die } from '../pve-error.ts';
import { rootUser } from '../access/permissions.ts';
import { machineProblem } from './qemu-version.ts';
import type { Sim } from '../sim.ts';
import { hostFlags } from '../contract/cpu-models.ts';
import type { GuestConfig, MappingState, NodeState } from '../state.ts';

interface Device {
  readonly key: string;
  readonly mapping?: { readonly kind: MappingState['kind']; readonly id: string };
}

function devicesOf(config: Readonly<GuestConfig>): Device[] {
  return Object.entries(config).flatMap(([key, value]): Device[] => {
    const kind = /^hostpci\d+$/.test(key) ? 'pci' : /^usb\d+$/.test(key) ? 'usb' : undefined;
    const isDir = /^virtiofs\d+$/.test(key);
    if ((!kind && !isDir) || (kind === 'usb' && /^(?:host=)?spice/i.test(value))) return [];
    const id = isDir ? /^(?:dirid=)?([^,]+)/.exec(value)?.[1] : /(?:^|,)mapping=([^,]+)/.exec(value)?.[1];
    return [{ key, ...(id === undefined ? {} : { mapping: { kind: kind ?? 'dir', id } }) }];
  });
}

/** QemuServer.pm check_mapping_access: cloning is as good as setting. */
export function checkMappingAccess(sim: Sim, user: string, config: Readonly<GuestConfig>): void {
  if (sim.facts.major === 7 || user === rootUser) return;
  for (const { key, mapping } of devicesOf(config)) {
    if (mapping) sim.rights.need(user, `/mapping/${mapping.kind}/${mapping.id}`, 'Mapping.Use');
    else
      die(`only root can set '${key}' config for ${key.startsWith('usb') ? 'real' : 'non-mapped'} devices`);
  }
}

/** API2/Qemu.pm check_cpu_model_access: a clone is asked, too, since qemu-server 9.1.15. That such a model exists is not modelled. */
export function checkCpuModelAccess(sim: Sim, user: string, config: Readonly<GuestConfig>): void {
  const model = /^(?:cputype=)?custom-([^,]+)/.exec(config['cpu'] ?? '')?.[1];
  if (model === undefined || sim.facts.major < 9) return;
  sim.rights.need(user, `/mapping/cpu/${model}`, 'Mapping.Use');
}

function isMappedOn(sim: Sim, node: string, wanted: NonNullable<Device['mapping']>): boolean {
  return sim.world.mappings.some(
    ({ kind, id, nodes }) => kind === wanted.kind && id === wanted.id && nodes.includes(node),
  );
}

/** QemuServer.pm check_local_resources: mapped ones, and those that a node does not have. */
export function mappedDevices(config: Readonly<GuestConfig>): string[] {
  return devicesOf(config).flatMap(({ key, mapping }) => (mapping ? [key] : []));
}

export function missingMappings(sim: Sim, node: string, config: Readonly<GuestConfig>): string[] {
  return devicesOf(config).flatMap(({ key, mapping }) =>
    mapping && !isMappedOn(sim, node, mapping) ? [key] : [],
  );
}

const kindNames = { pci: 'PCI', usb: 'USB', dir: 'Directory' } as const;

export function cpuFlagsOf(node: NodeState): readonly string[] {
  return node.cpuFlags ?? hostFlags['x86-64-v3'] ?? [];
}

/** QEMU's own word with `enforce`, which PVE sets for all types but `host` while KVM is used (CPUConfig.pm). */
export function cpuProblemOn(sim: Sim, node: string, config: Readonly<GuestConfig>): string | undefined {
  const type = /^(?:cputype=)?([^,=]+)(?:,|$)/.exec(config['cpu'] ?? '')?.[1] ?? '';
  const has = cpuFlagsOf(sim.world.node(node));
  const isRefused = config['kvm'] !== '0' && (hostFlags[type] ?? []).some((flag) => !has.includes(flag));
  return isRefused ? "kvm: Host doesn't support requested features" : undefined;
}

/** CPUConfig.pm get_amd_sev_object. */
const sevTypes = [
  { type: 'std', flag: 'sev', name: 'SEV' },
  { type: 'es', flag: 'sev_es', name: 'SEV-ES' },
  { type: 'snp', flag: 'sev_snp', name: 'SEV-SNP' },
] as const;

/** QemuServer.pm config_to_command, PCI.pm, USB.pm, CPUConfig.pm: in this order. */
export function checkHostResources(sim: Sim, node: string, config: Readonly<GuestConfig>): void {
  const machine = machineProblem(sim, node, /^(?:type=)?([^,]+)/.exec(config['machine'] ?? '')?.[1] ?? '');
  if (machine !== undefined) die(machine);
  if (config['kvm'] !== '0' && sim.world.node(node).lacksKvm === true) {
    die(
      'KVM virtualisation configured, but not available. Either disable in VM configuration or enable in BIOS.',
    );
  }
  for (const { mapping } of devicesOf(config)) {
    if (mapping && !isMappedOn(sim, node, mapping))
      die(`${kindNames[mapping.kind]} device mapping not found for '${mapping.id}'`);
  }
  const cpus = Number(config['sockets'] ?? 1) * Number(config['cores'] ?? 1);
  const threads = sim.world.node(node).cpus;
  if (cpus > threads) die(`MAX ${threads} vcpus allowed per VM on this node`);
  const sev = sevTypes.find(({ type }) =>
    new RegExp(`^(?:type=)?${type}(?:,|$)`).test(config['amd-sev'] ?? ''),
  );
  if (sev && !cpuFlagsOf(sim.world.node(node)).includes(sev.flag))
    die(`Your CPU does not support AMD ${sev.name}.`);
}
