/** The mark of a bridge, in its comment. Does not judge whether a bridge may be used or removed. */
import { MARK, parseFields } from './fields.ts';

/** A stand's bridge (`lab`, `user`, `net`), or a reserved one (shared, never removed). */
export type BridgeMark =
  | { readonly kind: 'stand'; readonly lab: string; readonly user: string; readonly net: string }
  | { readonly kind: 'reserved' };

export function formatBridgeMark(mark: BridgeMark, since: string): string {
  return mark.kind === 'reserved'
    ? `${MARK} reserved since=${since}`
    : `${MARK} lab=${mark.lab} user=${mark.user} net=${mark.net} since=${since}`;
}

export function parseBridgeMark(comments: string): BridgeMark | undefined {
  const line = comments.split('\n').find((text) => text.startsWith(`${MARK} `));
  if (line === undefined) return undefined;
  if (line.startsWith(`${MARK} reserved`)) return { kind: 'reserved' };
  const { lab, user, net } = parseFields(line);
  return lab && user && net ? { kind: 'stand', lab, user, net } : undefined;
}

/** Does a staged change of an interface with this comment look like ours? No run of ours removes a reserved bridge: a person staged that. */
export function isStagedByUs(change: 'added' | 'removed' | 'changed', comment: string): boolean {
  const text = comment.trimStart();
  return text.startsWith(MARK) && !(change === 'removed' && text.startsWith(`${MARK} reserved`));
}
