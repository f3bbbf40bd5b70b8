/** Why a node cannot take a machine, now or ever: one code each, with what it is about. Knows no words and decides nothing. */
import type { Mapping } from '../../pve-values/host-ties.ts';
import type { BridgeObstacle } from '../network/may-go.ts';

export type NodeObstacle =
  // The node itself.
  | { readonly code: 'node-missing' }
  | { readonly code: 'node-offline' }
  | { readonly code: 'maintenance' }
  /** By the lab's own `nodes`, `exclude`, `node`. */
  | { readonly code: 'unwanted' }
  | { readonly code: 'network-unreadable' }
  | { readonly code: 'foreign-pending'; readonly text: string }
  // Storages. `key`: what is on it.
  | { readonly code: 'storage-undefined'; readonly storage: string }
  | { readonly code: 'storage-disabled'; readonly storage: string }
  | { readonly code: 'storage-elsewhere'; readonly storage: string; readonly nodes: readonly string[] }
  | { readonly code: 'storage-unseen'; readonly storage: string }
  | { readonly code: 'storage-offline'; readonly storage: string }
  | { readonly code: 'storage-content'; readonly storage: string; readonly content: 'images' | 'iso' }
  // Bridges.
  | { readonly code: 'bridge-missing'; readonly bridge: string; readonly mayBeHidden: boolean }
  | { readonly code: 'bridge-down'; readonly bridge: string; readonly isStaged: boolean }
  | { readonly code: 'bridge-taken'; readonly bridge: string; readonly obstacle: BridgeObstacle }
  | {
      readonly code: 'vnet-elsewhere';
      readonly vnet: string;
      readonly zone: string;
      readonly nodes: readonly string[];
    }
  | {
      readonly code: 'vnet-down';
      readonly vnet: string;
      readonly zone: string;
      readonly why: 'staged' | 'pending' | 'error';
    }
  | { readonly code: 'vlan'; readonly bridge: string; readonly what: 'tag' | 'trunks' | 'vnet' }
  | {
      readonly code: 'mtu';
      readonly bridge: string;
      readonly mtu: number;
      readonly most: number;
      /** Of a vnet. */
      readonly zone?: string;
    }
  // What else a configuration names.
  | { readonly code: 'file'; readonly key: string; readonly volid: string; readonly on: readonly string[] }
  | {
      readonly code: 'mapping';
      readonly key: string;
      readonly mapping: Mapping;
      readonly nodes: readonly string[];
    }
  | { readonly code: 'device'; readonly key: string; readonly node: string }
  | { readonly code: 'device-root'; readonly key: string }
  | { readonly code: 'machine-type'; readonly type: string; readonly newest: string }
  | { readonly code: 'cpu-type'; readonly type: string; readonly lacks: readonly string[] }
  | { readonly code: 'cpu-sev'; readonly needs: string }
  | { readonly code: 'no-kvm' }
  | { readonly code: 'cpus'; readonly cpus: number; readonly threads: number }
  // Cloning.
  | { readonly code: 'no-links'; readonly storage: string; readonly type: string }
  | { readonly code: 'source-offline'; readonly vmid: number; readonly node: string }
  /** On the node that is cloned from. */
  | { readonly code: 'source'; readonly vmid: number; readonly node: string; readonly obstacle: NodeObstacle }
  | {
      readonly code: 'only-there';
      readonly key: string;
      readonly vmid: number;
      readonly storage: string;
      readonly node: string;
    }
  | { readonly code: 'clone-unshared'; readonly storage: string }
  /** Of any template: the pool of copies is another's, or another's too; or the caller may make no members of it. */
  | { readonly code: 'copies-refused'; readonly why: 'delegated' | 'foreign' | 'confined' }
  | { readonly code: 'copy-no-disk'; readonly vmid: number; readonly node: string }
  | { readonly code: 'copy-device'; readonly vmid: number; readonly key: string; readonly node: string }
  | {
      readonly code: 'copy-no-storage';
      readonly vmid: number;
      readonly storages: readonly string[];
      readonly node: string;
    }
  | { readonly code: 'no-template' }
  | { readonly code: 'of-several'; readonly templates: string; readonly obstacles: readonly NodeObstacle[] }
  /** Of one machine of the stand. */
  | { readonly code: 'machine'; readonly machine: string; readonly obstacle: NodeObstacle };

/** Those that say no to a machine's disks and drives on a node. */
export type StorageObstacle = Extract<NodeObstacle, { readonly code: `storage-${string}` }>;
