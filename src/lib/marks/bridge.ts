/** The mark of a bridge, in its comment. Does not judge whether a bridge may be used or removed. */
import { MARK, parseFields } from './fields.ts';

/** A stand's bridge (`lab`, `user`, `net`), or a reserved one (shared, never removed). */
export type BridgeMark =
  | { readonly kind: 'stand'; readonly lab: string; readonly user: string; readonly net: string }
  | { readonly kind: 'reserved' };

export type StandMark = Extract<BridgeMark, { readonly kind: 'stand' }>;

/** The bridge's own name is in it: what PVE shows of a staged change need not show whose change it is. */
export function formatBridgeMark(iface: string, mark: BridgeMark, since: string): string {
  const what = mark.kind === 'reserved' ? 'reserved' : `lab=${mark.lab} user=${mark.user} net=${mark.net}`;
  return `${MARK} bridge=${iface} ${what} since=${since}`;
}

function markLine(comments: string): string | undefined {
  return comments.split('\n').find((text) => text.startsWith(`${MARK} `));
}

/** 0.1.0 wrote no name; a mark that names another bridge was copied by somebody and says nothing. */
export function parseBridgeMark(iface: string, comments: string): BridgeMark | undefined {
  const line = markLine(comments);
  if (line === undefined) return undefined;
  const { bridge = iface, lab, user, net } = parseFields(line);
  if (bridge !== iface) return undefined;
  if (line.split(/\s+/).includes('reserved')) return { kind: 'reserved' };
  return lab && user && net ? { kind: 'stand', lab, user, net } : undefined;
}

/** Which bridge the mark is of, where it says so. */
export function bridgeInMark(comment: string): string | undefined {
  const line = markLine(comment.trimStart());
  return line === undefined ? undefined : parseFields(line)['bridge'];
}

/** Does a staged change of an interface with this comment look like ours? No run of ours removes a reserved bridge: a person staged that. */
export function isStagedByUs(
  iface: string,
  change: 'added' | 'removed' | 'changed',
  comment: string,
): boolean {
  const text = comment.trimStart();
  if (!text.startsWith(MARK) || (bridgeInMark(text) ?? iface) !== iface) return false;
  return !(change === 'removed' && parseBridgeMark(iface, text)?.kind === 'reserved');
}
