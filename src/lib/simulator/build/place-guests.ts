/** Puts a scenario's templates and guests, with their disks, into a world. Changes nothing else. */
import { randomMac, randomUuid } from '../access/secrets.ts';
import { nodesOf } from './scenario-nodes.ts';
import type { Scenario, ScenarioGuest, ScenarioTemplate } from '../scenario-types.ts';
import type { Sim } from '../sim.ts';
import type { GuestState, VolumeState } from '../state.ts';
import { versionFacts } from '../version.ts';
import { addVolume } from '../guest/volumes.ts';
import type { World } from '../world.ts';

const gib = 1024 ** 3;
const dayMs = 86_400_000;

const inside = ({
  agent,
  habits,
}: ScenarioGuest | ScenarioTemplate): Pick<GuestState, 'agent' | 'habits'> => ({
  ...(agent === undefined ? {} : { agent }),
  ...(habits === undefined ? {} : { habits }),
});

/** Places guests and their volumes into a world, with the machinery that clones use. */
class Builder {
  readonly #sim: Pick<Sim, 'world'>;
  readonly #scenario: Scenario;
  readonly #start: number;

  constructor(scenario: Scenario, world: World, start: number) {
    this.#scenario = scenario;
    this.#sim = { world };
    this.#start = start;
  }

  #disk(vmid: number, node: string, id: string, sizeGib: number, base: boolean): string {
    const storage = this.#sim.world.storages.get(id);
    if (!storage) throw new Error(`no storage ${id}`);
    const volume: VolumeState = addVolume(this.#sim, { storage, node, vmid, size: sizeGib * gib });
    if (!base || storage.type === 'lvm') return `${volume.volid},size=${sizeGib}G`;
    const volid = volume.volid.replace(/vm-(\d+-[^/]*)$/, 'base-$1');
    this.#sim.world.removeVolume(volume.volid, node);
    this.#sim.world.addVolume({ ...volume, volid });
    return `${volid},size=${sizeGib}G`;
  }

  #common(one: ScenarioGuest | ScenarioTemplate): Record<string, string> {
    const { world } = this.#sim;
    const facts = versionFacts(world.fixed.version);
    const prefix = world.datacenter['mac_prefix'] ?? facts.macPrefix;
    return {
      name: one.name,
      cores: String(one.cores ?? 2),
      memory: String(one.memory_mib ?? 2048),
      net0: `virtio=${randomMac(world, prefix)},bridge=${one.bridge ?? 'vmbr0'},firewall=1`,
      scsihw: 'virtio-scsi-single',
      ostype: 'l26',
      boot: 'order=scsi0',
      smbios1: `uuid=${randomUuid(world)}`,
      vmgenid: randomUuid(world),
      ...(one.tags === undefined ? {} : { tags: one.tags }),
      ...(one.description === undefined ? {} : { description: one.description }),
    };
  }

  #storageOf(one: { readonly storage?: string }): string {
    const first = this.#scenario.storages.find((storage) => storage.content?.includes('images') ?? true);
    return one.storage ?? first?.id ?? '';
  }

  #add(
    vmid: number,
    node: string,
    type: 'qemu' | 'lxc',
    config: Record<string, string>,
    {
      load,
      memoryLoad,
      ...own
    }: Pick<GuestState, 'load' | 'agent' | 'habits'> & { readonly memoryLoad?: number | undefined },
  ): GuestState {
    const guest: GuestState = {
      vmid,
      type,
      node,
      config,
      snapshots: [],
      pending: {},
      pendingDelete: [],
      paused: false,
      load,
      ...(memoryLoad === undefined ? {} : { memoryLoad }),
      ...own,
    };
    this.#sim.world.addGuest(guest);
    return guest;
  }

  template(one: ScenarioTemplate): void {
    const config = this.#common(one);
    const storage = this.#storageOf(one);
    const shares = one.disks_gib ?? [2];
    shares.forEach((size, i) => {
      config[`scsi${i}`] = this.#disk(one.vmid, one.node, storage, size, true);
    });
    if (one.cloud_init !== undefined) {
      const id = one.cloud_init;
      const found = this.#sim.world.storages.get(id);
      if (found) {
        const isFile = ['dir', 'nfs', 'cifs', 'btrfs'].includes(found.type);
        const name = isFile ? `${one.vmid}/vm-${one.vmid}-cloudinit.qcow2` : `vm-${one.vmid}-cloudinit`;
        const volid = `${id}:${name}`;
        addVolume(this.#sim, { storage: found, node: one.node, vmid: one.vmid, size: 4 * 1024 ** 2, volid });
        config['ide2'] = `${volid},media=cdrom`;
      }
    }
    if (one.iso !== undefined) {
      config['ide3'] = `${one.iso},media=cdrom`;
      this.#image(one.iso, one.node);
    }
    this.#add(
      one.vmid,
      one.node,
      'qemu',
      { ...config, ...one.config, template: '1' },
      { load: 0, ...inside(one) },
    );
    this.#join(one.pool, one.vmid);
  }

  /** The image is where its template is. */
  #image(volid: string, node: string): void {
    const { world } = this.#sim;
    const storage = world.storages.get(volid.slice(0, volid.indexOf(':')));
    if (!storage || world.volume(volid, node)) return;
    const place = storage.shared ? {} : { node };
    world.addVolume({ ...place, volid, storage: storage.storage, size: gib, format: 'iso', content: 'iso' });
  }

  guest(one: ScenarioGuest): void {
    const { type = 'qemu', disk_gib = 8, load = 0.1 } = one;
    const config = this.#common(one);
    const disk = this.#disk(one.vmid, one.node, this.#storageOf(one), disk_gib, false);
    const [, mac = ''] = /^virtio=([^,]+)/.exec(config['net0'] ?? '') ?? [];
    const full =
      type === 'qemu'
        ? { ...config, scsi0: disk }
        : {
            hostname: one.name,
            cores: config['cores'] ?? '1',
            memory: config['memory'] ?? '512',
            rootfs: disk,
            net0: `name=eth0,bridge=${one.bridge ?? 'vmbr0'},firewall=1,hwaddr=${mac},type=veth`,
          };
    const use = { load, memoryLoad: one.memory_load, ...inside(one) };
    const guest = this.#add(one.vmid, one.node, type, { ...full, ...one.config }, use);
    for (const written of one.snapshots ?? []) {
      const { name, description = '' } = typeof written === 'string' ? { name: written } : written;
      const parent = guest.parent === undefined ? {} : { parent: guest.parent };
      const snaptime = Math.floor(this.#start / 1000) - 3600;
      guest.snapshots.push({
        ...{ name, ...parent, snaptime, description, vmstate: false, config: guest.config },
      });
      guest.parent = name;
    }
    if (one.running ?? true) {
      guest.runningSince = this.#start - dayMs / 2;
      guest.pid = this.#sim.world.nextPid++;
    }
    this.#join(one.pool, one.vmid);
  }

  #join(pool: string | undefined, vmid: number): void {
    if (pool !== undefined) this.#sim.world.joinPool(pool, vmid);
  }

  /** On a storage of their own the nodes have files of their own. */
  snippets(): void {
    const { world } = this.#sim;
    for (const { volid, nodes = [...world.nodes.keys()] } of this.#scenario.snippets ?? []) {
      const storage = volid.slice(0, volid.indexOf(':'));
      const places = world.storages.get(storage)?.shared === true ? [{}] : nodes.map((node) => ({ node }));
      for (const place of places)
        world.addVolume({ volid, storage, ...place, size: 512, format: 'snippet', content: 'snippets' });
    }
  }

  bulk(): void {
    const { foreign_guests: bulk } = this.#scenario;
    if (!bulk) return;
    const nodes = bulk.nodes ?? nodesOf(this.#scenario).map((node) => node.name);
    const { running = 0.7, cores = 2, memory_mib = 2048, disk_gib = 8 } = bulk;
    let vmid = bulk.first_vmid ?? 100_000;
    for (let i = 0; i < bulk.count; i += 1, vmid += 1) {
      while (this.#sim.world.guests.has(vmid)) vmid += 1;
      this.guest({
        vmid,
        name: `foreign-${vmid}`,
        node: nodes[i % nodes.length] ?? '',
        storage: this.#storageOf(bulk),
        cores,
        memory_mib,
        disk_gib,
        running: ((i * 7) % 10) / 10 < running,
        load: 0.02 + ((i * 13) % 40) / 400,
      });
    }
  }
}

export function placeGuests(scenario: Scenario, world: World, start: number): void {
  const builder = new Builder(scenario, world, start);
  for (const one of scenario.templates ?? []) builder.template(one);
  for (const one of scenario.guests ?? []) builder.guest(one);
  builder.snippets();
  builder.bulk();
}
