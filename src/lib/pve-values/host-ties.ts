/** Reads what a guest's configuration wants of its host besides volumes and bridges: devices, files, a machine type, CPUs. Judges nothing. */
import { compareText } from '../order.ts';
import { propertiesOf, propertyRecord } from './property-string.ts';
import { allVolumes, isDriveKey, sourceOf, storageOfVolume } from './volumes.ts';

/** A resource mapping of the datacenter; `dir`: a directory that is shared with the guest. */
export interface Mapping {
  readonly kind: 'pci' | 'usb' | 'dir';
  readonly id: string;
}

/** A device of the host (qemu-server QemuServer.pm, check_local_resources; drives on the host's own devices). */
export interface HostDevice {
  readonly key: string;
  /** `hostpci0`, `scsi1 (/dev/sdb)`. */
  readonly text: string;
  /** Absent: one of that very host. */
  readonly mapping?: Mapping;
}

/** A file of a storage that has to be there at each start. */
export interface NeededFile {
  /** `hookscript`, `cicustom`, `ide2`. */
  readonly key: string;
  readonly volid: string;
  readonly storage: string;
  readonly content: 'snippets' | 'iso';
}

type Values = Readonly<Record<string, string>>;

/** Whether a machine can go somewhere is asked for each node, and a configuration is never written to. */
function readOnce<T>(read: (values: Values) => T): (values: Values) => T {
  const known = new WeakMap<Values, T>();
  return (values) => {
    const before = known.get(values);
    if (before !== undefined) return before;
    const now = read(values);
    known.set(values, now);
    return now;
  };
}

/** A property string's value, by its name or, in front of all others, without one. */
function propertyOf(value: string, name: string): string | undefined {
  if (value === '') return '';
  const [first] = propertiesOf(value);
  return propertyRecord(value)[name] ?? (first?.value === undefined ? first?.key : undefined);
}

function mapped(key: string, value: string, kind: Mapping['kind'], name = 'mapping'): HostDevice {
  const id = kind === 'dir' ? propertyOf(value, name) : propertyRecord(value)[name];
  return { key, text: key, ...(id === undefined ? {} : { mapping: { kind, id } }) };
}

function deviceOf(key: string, value: string): HostDevice | undefined {
  if (/^hostpci\d+$/.test(key)) return mapped(key, value, 'pci');
  if (/^usb\d+$/.test(key)) {
    return /^spice$/i.test(propertyOf(value, 'host') ?? '') ? undefined : mapped(key, value, 'usb');
  }
  if (/^virtiofs\d+$/.test(key)) return mapped(key, value, 'dir', 'dirid');
  if (/^parallel\d+$/.test(key) || (/^serial\d+$/.test(key) && value !== 'socket')) return { key, text: key };
  // Of a container: what PVE does not look at, and its start on another node fails for.
  if (/^dev\d+$/.test(key)) return { key, text: key };
  if (key === 'lxc') return { key, text: 'settings of its own for LXC' };
  if (!isDriveKey(key)) return undefined;
  const path = sourceOf(value);
  return path === 'cdrom' || path.startsWith('/') ? { key, text: `${key} (${path})` } : undefined;
}

/** By key. */
export const hostDevices = readOnce((values): readonly HostDevice[] =>
  Object.entries(values)
    .flatMap(([key, value]) => deviceOf(key, value) ?? [])
    .sort((a, b) => compareText(a.key, b.key)),
);

/** Cloud-init's own files are read only where there is a drive to write them on. */
export const neededFiles = readOnce((values): readonly NeededFile[] => {
  const volumes = allVolumes(values);
  const { hookscript, cicustom = '' } = values;
  const hasDrive = volumes.some(({ kind }) => kind === 'cloud-init');
  const snippets = [
    ...(hookscript === undefined ? [] : [{ key: 'hookscript', volid: hookscript }]),
    ...(hasDrive ? Object.values(propertyRecord(cicustom)).map((volid) => ({ key: 'cicustom', volid })) : []),
  ];
  return [
    ...snippets.map((file) => ({
      ...file,
      storage: storageOfVolume(file.volid),
      content: 'snippets' as const,
    })),
    ...volumes
      .filter(({ kind }) => kind === 'iso')
      .map(({ key, storage, name }) => ({
        key,
        volid: `${storage}:${name}`,
        storage,
        content: 'iso' as const,
      })),
  ].filter(({ storage }) => storage !== '');
});

/** With a version or without one; empty: PVE's default. */
export function machineType(values: Values): string {
  return propertyOf(values['machine'] ?? '', 'type') ?? '';
}

/** Empty: PVE's default, kvm64. The x86-64-v2-AES of new VMs since 8 is written by the web interface. */
export function cpuType(values: Values): string {
  return propertyOf(values['cpu'] ?? '', 'cputype') ?? '';
}

/** A machine type with a version, e.g. `pc-q35-9.2+pve1`; undefined: the newest that the host knows. */
export function versionedMachine(values: Values): string | undefined {
  const type = machineType(values);
  return /^pc-(?:i440fx|q35)-\d+\.\d+/.test(type) ? type : undefined;
}

const V2 = ['pni', 'popcnt', 'sse4_1', 'sse4_2', 'ssse3'];
const V3 = ['abm', 'aes', 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'movbe', 'xsave', ...V2];
const V4 = ['avx512bw', 'avx512cd', 'avx512dq', 'avx512f', 'avx512vl', ...V3];

/** PVE's own CPU types by what they ask of the host (qemu-server CPUConfig.pm), in the words of /proc/cpuinfo. */
const CPU_FLAGS: ReadonlyMap<string, readonly string[]> = new Map([
  ['x86-64-v2', V2],
  ['x86-64-v2-AES', ['aes', ...V2]],
  ['x86-64-v3', V3],
  ['x86-64-v4', V4],
]);

/**
 * A CPU type of which it is known what the host must have: PVE has QEMU refuse any that it has not, except with KVM
 * switched off. Of QEMU's own types nothing tells, and one that a node does not know it takes for the default.
 */
export function cpuNeeds(
  values: Values,
): { readonly type: string; readonly flags: readonly string[] } | undefined {
  const type = cpuType(values);
  const flags = usesKvm(values) ? CPU_FLAGS.get(type) : undefined;
  return flags && { type, flags };
}

/** AMD SEV by its type, in the words of /proc/cpuinfo (qemu-server CPUConfig.pm, get_amd_sev_object). */
const SEV_FLAGS: ReadonlyMap<string, { readonly name: string; readonly flag: string }> = new Map([
  ['std', { name: 'SEV', flag: 'sev' }],
  ['es', { name: 'SEV-ES', flag: 'sev_es' }],
  ['snp', { name: 'SEV-SNP', flag: 'sev_snp' }],
]);

/** Memory that its host cannot read. Of Intel's TDX the flags of a CPU do not tell. */
export function sevNeeds(values: Values): { readonly name: string; readonly flag: string } | undefined {
  return SEV_FLAGS.get(propertyOf(values['amd-sev'] ?? '', 'type') ?? '');
}

export function usesKvm(values: Values): boolean {
  return values['kvm'] !== '0';
}

/** Whether what the CPUs of the nodes can has to be known. That one has KVM at all comes with the answer. */
export function asksCpus(values: Values): boolean {
  return cpuNeeds(values) !== undefined || sevNeeds(values) !== undefined;
}

/** A CPU model that the datacenter defines itself (/etc/pve/virtual-guest/cpu-models.conf), without its prefix. */
export function customCpu(values: Values): string | undefined {
  return /^custom-(.+)$/.exec(cpuType(values))?.[1];
}

/** Virtual CPUs at most (one socket with one core where nothing is said): PVE starts no VM that has more than its host has threads. */
export function cpusOf(values: Values, cores = Number(values['cores'] ?? 1)): number {
  return Number(values['sockets'] ?? 1) * cores;
}
