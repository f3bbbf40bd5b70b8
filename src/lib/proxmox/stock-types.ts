/** The endpoints about what nodes have that configurations name, as methods; see types.ts for what all have in common. */
export interface StockApi {
  /** `GET /storage`. Datastore.Audit or Datastore.AllocateSpace on each; disabled ones are among them. */
  storageDefinitions(signal?: AbortSignal): Promise<
    readonly {
      readonly storage: string;
      readonly disabled: boolean;
      /** Absent: all. */
      readonly nodes?: readonly string[];
    }[]
  >;
  /**
   * `GET /nodes/{node}/storage/{storage}/content` → volume ids. Datastore.Audit or Datastore.AllocateSpace; snippets are
   * listed with Datastore.Allocate only, without a word to others. A storage that is not to be reached: an error.
   */
  storageFiles(
    place: { readonly node: string; readonly storage: string; readonly content: 'iso' | 'snippets' },
    signal?: AbortSignal,
  ): Promise<readonly string[]>;
  /** The same of disks and saved memories → bytes; of those that the caller may see (VM.Config.Disk, or Datastore.Allocate). */
  imageSizes(
    place: { readonly node: string; readonly storage: string },
    signal?: AbortSignal,
  ): Promise<readonly { readonly volid: string; readonly bytes: number }[]>;
  /** `GET /cluster/mapping/{kind}`. Mapping.Use, .Modify or .Audit on each. Empty before 8 (`dir`: before 8.4). */
  mappings(
    kind: 'pci' | 'usb' | 'dir',
    signal?: AbortSignal,
  ): Promise<readonly { readonly id: string; readonly nodes: readonly string[] }[]>;
  /** `GET /nodes/{node}/capabilities/qemu/machines` → names with versions, e.g. `pc-q35-9.2+pve1`. Everybody may. */
  machineTypes(node: string, signal?: AbortSignal): Promise<readonly string[]>;
}
