/** The list of bridges as a table. Says what the list cannot show. */
import type { BridgeReport, BridgeRow, BridgeState } from '../plan/network/view.ts';
import { GUEST_KINDS, type GuestKind } from '../pve-values/guest-kinds.ts';
import { formatVmids } from '../marks/vmid-ranges.ts';
import { labelled, paragraph, renderColumns, ROOMY, type Cell, type RenderOptions } from './layout.ts';
import { orderedObject, type JsonObject } from './ordered-json.ts';
import { createPaint, type Paint } from './paint.ts';
import { countOf } from './step-text.ts';
import { shellCommand } from '../shell.ts';

const HEAD = ['NODE', 'BRIDGE', 'STATE', 'VLAN', 'OWNER', 'LAB', 'NETWORK', 'GUESTS'];

const STATES: { readonly [S in BridgeState]: string } = {
  active: 'active',
  staged: 'pending',
  changing: 'active, change pending',
  down: 'down',
  going: 'removal pending',
};

function guestsText({ guests }: BridgeRow): string {
  if (guests === null) return '?';
  const idsOf = (type: GuestKind, inSnapshot?: true) =>
    formatVmids(
      guests
        .filter((guest) => guest.type === type && guest.inSnapshot === inSnapshot)
        .map(({ vmid }) => vmid),
    );
  const parts = [
    idsOf('qemu'),
    idsOf('lxc').replace(/^./, 'CT $&'),
    ...GUEST_KINDS.map((type) => idsOf(type, true).replace(/^./, 'snapshot of $&')),
  ].filter((part) => part !== '');
  return parts.length === 0 ? '-' : parts.join(' ');
}

/** `leaves`: what is as it should be is not told, so that numbers stay whole on a narrow terminal. */
function cellsOf(
  row: BridgeRow,
  { isFirst, leaves, paint }: { readonly isFirst: boolean; readonly leaves: boolean; readonly paint: Paint },
): Cell[] {
  const brush = row.state === 'active' ? paint.green : row.state === 'down' ? paint.red : paint.yellow;
  return [
    { text: isFirst ? row.node : '' },
    { text: row.iface },
    { text: leaves && row.state === 'active' ? '' : STATES[row.state], paint: brush },
    { text: row.vlanAware ? 'yes' : '' },
    { text: row.user ?? row.owner },
    { text: row.lab ?? '' },
    { text: row.network ?? '' },
    { text: guestsText(row) },
  ];
}

function isLeft({ owner, state }: BridgeRow): boolean {
  return owner !== 'foreign' && state !== 'active';
}

/** Same report, same options, same text. Ends without a line break. */
export function renderBridges(report: BridgeReport, { width, color }: RenderOptions): string {
  const paint = createPaint(color);
  const { bridges, notes } = report;
  const head = HEAD.map((text): Cell => ({ text, paint: paint.bold }));
  const leaves = width < ROOMY;
  const rows = bridges.map((row, at) =>
    cellsOf(row, { isFirst: row.node !== bridges[at - 1]?.node, leaves, paint }),
  );
  const left = [...new Set(bridges.filter(isLeft).map(({ node }) => node))];
  const count = (owner: BridgeRow['owner']) => bridges.filter((row) => row.owner === owner).length;
  return [
    ...renderColumns([head, ...rows], { width, head: true }),
    ...(notes.length === 0 && left.length === 0 ? [] : ['']),
    ...notes.flatMap((note) => labelled('note', note, { width, paint: paint.yellow })),
    ...(left.length === 0
      ? []
      : labelled('To mend', shellCommand('deploy-stand', 'bridges', 'prune', '--node', left.join(',')), {
          width: Infinity,
        })),
    '',
    ...paragraph(
      `${countOf(bridges.length, 'bridge', 'bridges')}: ${count('stand')} of stands, ${count('reserved')} reserved, ${count('foreign')} foreign`,
      { width, paint: paint.bold },
    ),
  ].join('\n');
}

/** For scripts. */
export function toBridgesDocument(report: BridgeReport): JsonObject {
  return orderedObject(report);
}
