/** The client's methods that balance-api.test.ts covers; all others are covered by client.test.ts. */
import type { BalanceApi } from '../../src/lib/proxmox/balance-types.ts';

/** A method that is missing here does not compile. */
const METHODS: { readonly [M in keyof BalanceApi]: true } = {
  nodeHistory: true,
  guestHistory: true,
  nodeStatus: true,
  metricsSince: true,
  crsOptions: true,
  haRules: true,
  vnetZones: true,
  vnetStates: true,
  runningMachine: true,
  migrateProblems: true,
  migrateVm: true,
  migrateContainer: true,
};

export const BALANCE_METHODS: ReadonlySet<string> = new Set(Object.keys(METHODS));
