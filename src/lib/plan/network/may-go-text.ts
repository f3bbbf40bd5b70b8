/** Words for why a bridge may not be used, taken over or removed, and the way out. Decides nothing. */
import { standBridgeNumber } from '../../pve-values/bridge-name.ts';
import type { BridgeObstacle } from './may-go.ts';

function areBuilt(above: readonly string[]): string {
  return `${above.join(', ')} ${above.length === 1 ? 'is' : 'are'} built on it`;
}

/** After "bridge vmbr1000 on pve1 …: ". */
export function obstacleText(obstacle: BridgeObstacle): string {
  switch (obstacle.code) {
    case 'number':
      return 'its name is none of a stand (vmbr1000 and above)';
    case 'not-led-to':
      return 'it carries no mark, and no network of the lab leads to it';
    case 'led-by-others':
      return 'it carries no mark, and what leads to it are network cards, which others than administrators may have set';
    case 'unmarked':
      return 'it does not carry our mark';
    case 'comment':
      return `it carries a comment that is not this stand's ("${obstacle.comment}")`;
    case 'reserved':
      return 'it is reserved, shared by all stands';
    case 'stand': {
      const { user, lab, net } = obstacle.stand;
      return `it belongs to the stand of ${user} in lab ${lab} (${net})`;
    }
    case 'ports':
      return `somebody gave it the port ${obstacle.ports.join(' ')}`;
    case 'address':
      return `somebody gave the host the address ${obstacle.addresses.join(' ')} on it`;
    case 'gateway':
      return `somebody gave the host the gateway ${obstacle.gateways.join(' ')} on it`;
    case 'below':
      return areBuilt(obstacle.above);
    case 'guests-hidden':
      return 'guests may be hidden from the caller, who lacks VM.Audit on /vms';
    case 'guests-unread':
      return 'the guests of the node were not read';
    case 'guests-unreadable':
      return `guest ${obstacle.vmids.join(', ')} of the node cannot be read and may be on it`;
    case 'guests':
      return `guest ${obstacle.vmids.join(', ')} names it`;
    case 'snapshots':
      return `a snapshot of guest ${obstacle.vmids.join(', ')} names it, so that going back would lead to whoever has its number then; it goes when no snapshot names it`;
  }
}

/** What to do about it, without "then run again". */
export function obstacleHint(
  obstacle: BridgeObstacle,
  { node, iface }: { readonly node: string; readonly iface: string },
): string {
  const where = `in ${node} → System → Network`;
  switch (obstacle.code) {
    case 'number':
    case 'reserved':
    case 'stand':
      return 'choose another bridge';
    case 'not-led-to':
      return `if nobody needs it, remove ${iface} ${where}`;
    case 'led-by-others':
      return `write the numbers that stands have here, and nobody else, into the lab file, such as "bridge_range: ${standBridgeNumber(iface) ?? 1000}-${standBridgeNumber(iface) ?? 1999}"`;
    case 'unmarked':
      return `if it is this stand's, write its mark back into the comment of ${iface} ${where}`;
    case 'comment':
      return `if it is this stand's, empty the comment of ${iface} ${where}`;
    case 'ports':
      return `take the port off ${iface} ${where}`;
    case 'address':
      return `take the address off ${iface} ${where}`;
    case 'gateway':
      return `take the gateway off ${iface} ${where}`;
    case 'below':
      return `take ${iface} out of ${obstacle.above.join(', ')} ${where}`;
    case 'guests-hidden':
      return 'give the caller VM.Audit on /vms, with propagation';
    case 'guests-unread':
      return `see that ${node} is online and all its guests may be read`;
    case 'guests-unreadable':
      return `see that guest ${obstacle.vmids.join(', ')} on ${node} can be read`;
    case 'guests':
      return `bring other guests than the stand's to another bridge than ${iface}`;
    case 'snapshots':
      return `delete the snapshots of guest ${obstacle.vmids.join(', ')} that name ${iface}`;
  }
}
