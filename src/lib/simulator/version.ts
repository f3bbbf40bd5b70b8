/** The PVE versions that can be simulated and the differences that are plain yes/no. Holds no behaviour. */

export const versions = ['7.4', '8.4', '9.2'] as const;
export type Version = (typeof versions)[number];
/** Where a scenario names none. */
export const usualVersion: Version = '8.4';

export interface VersionFacts {
  readonly version: Version;
  readonly full: string;
  readonly major: 7 | 8 | 9;
  /** pve-http-server 5.2.0 added `message` to error bodies. */
  readonly messageInBody: boolean;
  /** 64 KiB until pve-http-server 5.2.1. */
  readonly bodyLimit: number;
  /** SDN.Use on bridges and SDN.Audit for lists came with 8.0. */
  readonly bridgePermissions: boolean;
  /** Nested pools, and pools addressed by query, came with 8.1. */
  readonly nestedPools: boolean;
  /** Whoever waits for a cfs lock looks once a second; since libpve-cluster 9.1.0 the more often the less time it has left. */
  readonly cfsHastens: boolean;
  readonly macPrefix: string | undefined;
}

const facts: Readonly<Record<Version, VersionFacts>> = {
  '7.4': {
    version: '7.4',
    full: '7.4-16',
    major: 7,
    messageInBody: false,
    bodyLimit: 64 * 1024,
    bridgePermissions: false,
    nestedPools: false,
    cfsHastens: false,
    macPrefix: undefined,
  },
  '8.4': {
    version: '8.4',
    full: '8.4.5',
    major: 8,
    messageInBody: true,
    bodyLimit: 512 * 1024,
    bridgePermissions: true,
    nestedPools: true,
    cfsHastens: false,
    macPrefix: 'BC:24:11',
  },
  '9.2': {
    version: '9.2',
    full: '9.2.3',
    major: 9,
    messageInBody: true,
    bodyLimit: 512 * 1024,
    bridgePermissions: true,
    nestedPools: true,
    cfsHastens: true,
    macPrefix: 'BC:24:11',
  },
};

export function versionFacts(version: Version): VersionFacts {
  return facts[version];
}
