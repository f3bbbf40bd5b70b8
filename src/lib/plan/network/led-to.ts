/**
 * What it proves that a network card leads to a bridge without a mark. On PVE 7 whoever may edit a card plugs it into any
 * bridge; since 8 that takes SDN.Use on the bridge. Where others may have it, the operator says which numbers are stands'.
 */
import type { BridgeRange } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { FIRST_BRIDGE, LAST_BRIDGE, standBridgeNumber } from '../../pve-values/bridge-name.ts';
import { isAtLeast } from '../../pve-values/version.ts';
import { BY_OTHERS, type LedTo } from './may-go.ts';

type Rights = Pick<Inventory, 'version' | 'acls' | 'rolePrivileges' | 'caller'>;

const PLUGS = 'SDN.Use';
/** Of the whole cluster only administrators have it. */
const NETWORKS = /^\/sdn(\/|$)/;

/** Rights of today: one that was taken away since is not seen. */
function mayReplug({ version, acls, rolePrivileges, caller }: Rights): boolean {
  if (!isAtLeast(version, 8)) return true;
  return acls.some(
    ({ path, role, subject }) =>
      NETWORKS.test(path) && subject !== caller && (rolePrivileges?.[role]?.includes(PLUGS) ?? true),
  );
}

/** All numbers are what is meant where nobody said anything. */
function isMeant(iface: string, range: BridgeRange | undefined): boolean {
  if (!range || (range.first <= FIRST_BRIDGE && range.last >= LAST_BRIDGE)) return false;
  const number = standBridgeNumber(iface);
  return number !== undefined && number >= range.first && number <= range.last;
}

/** `range`: that of the lab or its connection. */
export function ledByCard(
  iface: string,
  range: BridgeRange | undefined,
  have: Rights,
): Exclude<LedTo['isLedTo'], false> {
  return !mayReplug(have) || isMeant(iface, range) ? true : BY_OTHERS;
}
