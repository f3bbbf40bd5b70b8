/** What platforms differ in, as far as files and words go: one row each, and every reader asks the row. Contacts nothing. */
import { UsageError } from '../../errors.ts';
import type { Platform, PlatformBesidePve } from '../types.ts';

interface PlatformTraits {
  /** As sentences call it. */
  readonly name: string;
  /** What is said of a server, and where it listens unless told otherwise. */
  readonly listener: { readonly product: string; readonly port: number };
  /** Keys of a connection that only it has a meaning for. */
  readonly ownKeys: readonly string[];
  /** What to do about a key that only another platform has a meaning for. */
  readonly foreignKeyHint: (key: string) => string;
  /** Are several hosts the nodes of one cluster? Else it has one address. */
  readonly hasManyHosts: boolean;
  /** Do the variables PVE_* say where it is, and how to log in? */
  readonly isInEnvironment: boolean;
  /** Variables that `connections add` takes in place of flags. */
  readonly variables: { readonly host: string; readonly password: string };
  /** What to set in place of verify_ssl: false. */
  readonly trustKeys: string;
  /** Does it tell of a quorum? */
  readonly hasQuorum: boolean;
  /** Does it measure how much CPU nodes use? */
  readonly hasCpuUse: boolean;
  /** Do nodes have numbers that people write in place of names? */
  readonly hasNodeNumbers: boolean;
  /** Has an installation several clusters, each balanced for itself? Else a connection is one cluster. */
  readonly hasClusters: boolean;
}

export const PLATFORMS: Readonly<Record<Platform, PlatformTraits>> = {
  pve: {
    name: 'Proxmox VE',
    listener: { product: 'PVE', port: 8006 },
    ownKeys: ['user', 'use_token', 'token_name', 'token_value', 'operators', 'bridge_range'],
    foreignKeyHint: () => 'add "platform: vmmanager6" if it is one, or remove it',
    hasManyHosts: true,
    isInEnvironment: true,
    variables: { host: 'PVE_HOST', password: 'PVE_PASSWORD' },
    trustKeys: 'fingerprint (PVE_FINGERPRINT) or ca_file (PVE_CA_FILE)',
    hasQuorum: true,
    hasCpuUse: true,
    hasNodeNumbers: false,
    hasClusters: false,
  },
  vmmanager6: {
    name: 'VMmanager 6',
    listener: { product: 'VMmanager', port: 443 },
    ownKeys: ['email', 'time_zone', 'ssh'],
    foreignKeyHint: (key) => (key === 'user' ? 'the account is the e-mail address of email:' : 'remove it'),
    hasManyHosts: false,
    isInEnvironment: false,
    variables: { host: 'VMMANAGER_HOST', password: 'VMMANAGER_PASSWORD' },
    trustKeys: 'fingerprint or ca_file in connections.yml',
    hasQuorum: false,
    hasCpuUse: false,
    hasNodeNumbers: true,
    hasClusters: true,
  },
};

/** Has this key of a connection a meaning there, and on no other platform? */
export function hasOwnKey(platform: Platform, key: string): boolean {
  return PLATFORMS[platform].ownKeys.includes(key);
}

const isBesidePve = (platform: Platform): platform is PlatformBesidePve => platform !== 'pve';

/** The platform that a file or a document names; one that names none is about Proxmox VE. */
export function platformIn({ platform }: { readonly platform?: unknown }): Platform {
  const named = Object.keys(PLATFORMS).find((one) => one === platform);
  return (named ?? 'pve') as Platform; // a key of the table
}

/** How files and documents name it, the counterpart of `platformIn`. */
export function namedPlatform(platform: Platform): { readonly platform?: PlatformBesidePve } {
  return isBesidePve(platform) ? { platform } : {};
}

/** For whoever works on Proxmox VE alone. `name`: of the connection that leads elsewhere. */
export function otherPlatform(name: string, platform: PlatformBesidePve): UsageError {
  const { name: other } = PLATFORMS[platform];
  return new UsageError(
    'PLATFORM',
    `connection ${name} is an installation of ${other}, and this is for Proxmox VE`,
    {
      hint: `${other} is for \`deploy-stand balance\` and \`deploy-stand connections\`; name a cluster of Proxmox VE with --connection`,
    },
  );
}
