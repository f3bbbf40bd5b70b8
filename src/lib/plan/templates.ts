/** Finds the template of each machine and tells onto which nodes it can be cloned. Decides nothing about stands. */
import type { Machine } from '../config/types.ts';
import type { GuestInfo, Inventory, StorageInfo, VmConfig } from '../inventory/types.ts';
import { compareText } from './order.ts';
import type { Refusal } from './types.ts';

/** A volume of the template: a disk, an attached ISO or the cloud-init drive. */
interface Volume {
  readonly key: string;
  readonly storage: string;
  /** Disks and EFI/TPM state; neither ISO nor cloud-init drive. */
  readonly isDisk: boolean;
}

export interface Template {
  readonly vmid: number;
  readonly node: string;
  readonly name: string;
  readonly digest: string;
  readonly volumes: readonly Volume[];
  readonly values: Readonly<Record<string, string>>;
}

const DRIVE_KEY = /^(ide|sata|scsi|virtio|efidisk|tpmstate)\d+$/;

/** Storages that cannot hold linked clones (pve-storage, `volume_has_feature`, feature `clone`). */
const NO_LINKED_CLONE = new Set(['lvm', 'iscsi', 'iscsidirect', 'cephfs']);

function volumesOf(values: Readonly<Record<string, string>>): Volume[] {
  const volumes: Volume[] = [];
  for (const [key, value] of Object.entries(values)) {
    if (!DRIVE_KEY.test(key)) continue;
    const [volid = ''] = value.split(',');
    const at = volid.indexOf(':');
    if (at < 0) continue; // `none`, `cdrom` or a path: no storage involved
    const isCdrom = value.includes('media=cdrom');
    volumes.push({ key, storage: volid.slice(0, at), isDisk: !isCdrom });
  }
  return volumes.sort((a, b) => compareText(a.key, b.key));
}

function refusal(machine: Machine, file: string, message: string, hint: string): Refusal {
  return { code: 'TEMPLATE', message: `${file}:${machine.line} machine ${machine.name}: ${message}`, hint };
}

function describe(guest: GuestInfo): string {
  return `${guest.vmid} on ${guest.node}`;
}

function templateNames(guests: readonly GuestInfo[]): string {
  const names = guests
    .filter((guest) => guest.template)
    .sort((a, b) => a.vmid - b.vmid)
    .slice(0, 20)
    .map((guest) => `${guest.name ?? '?'} (${guest.vmid}, ${guest.node})`);
  return names.length > 0
    ? `templates on the cluster: ${names.join(', ')}`
    : 'there are no templates on the cluster';
}

function findByName(name: string, machine: Machine, have: Inventory, file: string): GuestInfo | Refusal {
  const named = have.guests.filter((guest) => guest.template && guest.name === name);
  const hinted = named.filter((guest) => guest.node === machine.template.node);
  const candidates = hinted.length > 0 ? hinted : named;
  const [only] = candidates;
  if (only && candidates.length === 1) return only;
  if (!only) return refusal(machine, file, `no template is called "${name}"`, templateNames(have.guests));
  const list = [...candidates].sort((a, b) => a.vmid - b.vmid).map(describe);
  return refusal(
    machine,
    file,
    `${candidates.length} templates are called "${name}": ${list.join(', ')}`,
    'name one with template_vmid',
  );
}

function findByVmid(vmid: number, machine: Machine, have: Inventory, file: string): GuestInfo | Refusal {
  const guest = have.guests.find((candidate) => candidate.vmid === vmid);
  if (guest) return guest;
  return refusal(
    machine,
    file,
    `template ${vmid} does not exist, or the caller may not see it`,
    templateNames(have.guests),
  );
}

/** The machine's template, or why there is none. */
export function resolveTemplate(machine: Machine, have: Inventory, file: string): Template | Refusal {
  const ref = machine.template;
  const guest =
    ref.by === 'vmid' ? findByVmid(ref.vmid, machine, have, file) : findByName(ref.name, machine, have, file);
  if ('code' in guest) return guest;
  const config = have.templates.find((candidate) => candidate.vmid === guest.vmid);
  if (guest.type !== 'qemu') {
    return refusal(machine, file, `${guest.vmid} on ${guest.node} is a container`, 'name a VM template');
  }
  if (!config) {
    return refusal(
      machine,
      file,
      `the configuration of template ${describe(guest)} could not be read`,
      `see that node ${guest.node} is online and that the caller has VM.Audit on /vms/${guest.vmid}`,
    );
  }
  if (config.values['template'] !== '1') {
    return refusal(
      machine,
      file,
      `VM ${describe(guest)} is not a template`,
      `convert it (\`qm template ${guest.vmid}\` on ${guest.node}), or name another VMID`,
    );
  }
  return toTemplate(config, guest);
}

function toTemplate(config: VmConfig, guest: GuestInfo): Template {
  return {
    vmid: config.vmid,
    node: config.node,
    name: config.values['name'] ?? guest.name ?? '',
    digest: config.digest,
    volumes: volumesOf(config.values),
    values: config.values,
  };
}

/** Storage rows by `node/storage`, for many look-ups. */
export type StorageIndex = ReadonlyMap<string, StorageInfo>;

export function indexStorages(have: Inventory): StorageIndex {
  return new Map(have.storages.map((row) => [`${row.node}/${row.storage}`, row]));
}

/** Why the machine cannot be cloned onto `target`; undefined when it can. */
export function cloneObstacle(
  machine: Machine,
  template: Template,
  target: string,
  storages: StorageIndex,
): string | undefined {
  return (
    linkedObstacle(machine, template, storages) ??
    (target === template.node ? undefined : remoteObstacle(template, target, storages)) ??
    storageObstacle(machine, template, target, storages)
  );
}

function linkedObstacle(machine: Machine, template: Template, storages: StorageIndex): string | undefined {
  if (machine.fullClone) return undefined;
  for (const volume of template.volumes) {
    const type = storages.get(`${template.node}/${volume.storage}`)?.type;
    if (volume.isDisk && type !== undefined && NO_LINKED_CLONE.has(type)) {
      return `linked clones are impossible on ${volume.storage} (${type}); set full_clone: true`;
    }
  }
  return undefined;
}

/** A clone with `target` needs every volume on shared storage, ISO and cloud-init drive included. */
function remoteObstacle(template: Template, target: string, storages: StorageIndex): string | undefined {
  for (const volume of template.volumes) {
    const row = storages.get(`${template.node}/${volume.storage}`);
    if (!row?.shared) {
      return `${volume.key} of template ${template.vmid} is on ${volume.storage}, which only ${template.node} has`;
    }
    if (!storages.get(`${target}/${volume.storage}`)?.active) {
      return `storage ${volume.storage} is not available on ${target}`;
    }
  }
  return undefined;
}

function storageObstacle(
  machine: Machine,
  template: Template,
  target: string,
  storages: StorageIndex,
): string | undefined {
  if (machine.storage === undefined) return undefined;
  const row = storages.get(`${target}/${machine.storage}`);
  if (!row?.active) return `storage ${machine.storage} is not available on ${target}`;
  if (!row.content.includes('images')) return `storage ${machine.storage} does not hold VM images`;
  if (target !== template.node && !row.shared) {
    return `a clone onto another node cannot go to ${machine.storage}, which is not shared`;
  }
  return undefined;
}

/** Lock keys of a clone: one per storage it allocates on. */
export function cloneLocks(machine: Machine, template: Template, storages: StorageIndex): readonly string[] {
  const names =
    machine.storage === undefined ? template.volumes.map((volume) => volume.storage) : [machine.storage];
  return [...new Set(names)]
    .map((name) =>
      storages.get(`${template.node}/${name}`)?.shared ? `shared:${name}` : `${template.node}:${name}`,
    )
    .sort(compareText);
}
