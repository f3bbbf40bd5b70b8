/** Bridges of stands for networks that the lab no longer has: told, since nobody would look for them. */
import { aliasesOf } from '../../config/lab/networks.ts';
import type { Lab, User } from '../../config/types.ts';
import { groupBy } from '../../group.ts';
import type { Inventory } from '../../inventory/types.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import { standNetworks } from '../cluster/stand-networks.ts';
import { nameSome } from '../document/text.ts';

/**
 * They are not removed beside the machines: a card of a machine that runs, or a snapshot, may name one for longer than
 * this plan lasts, and `bridges prune` is who looks at all of that. Once for each network, not for each stand.
 */
export function formerNetworkWarnings(lab: Lab, users: readonly User[], { networks }: Inventory): string[] {
  const [aliases, ids] = [aliasesOf(lab), new Set(users.map(({ userid }) => userid))];
  const former = standNetworks(networks).filter(
    (one) => one.lab === lab.name && ids.has(one.user) && !aliases.has(one.net),
  );
  return [...groupBy(former, ({ net }) => net)]
    .sort(([a], [b]) => compareNatural(a, b))
    .map(([net, group]) => {
      const who = sortedUnique(group.map(({ user }) => user));
      const where = who.length === 1 ? 'the stand' : `${who.length} stands`;
      return `the lab has no network "${net}" any more, and its bridge still is there in ${where} (${nameSome(who)}); once no machine is on them, \`deploy-stand bridges prune\` removes such bridges`;
    });
}
