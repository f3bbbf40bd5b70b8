/** Which sentences say the same of many: they differ only in whose they are. How they are shown is render's. */
import { groupBy } from './group.ts';

/** What is said of one stand or user. */
export interface Said {
  readonly who: string;
  readonly text: string;
  /** What can be done about it: one for many names them all, so that no name in it is this one's own. */
  readonly hint?: string | undefined;
  /** Names and numbers that are this one's own. */
  readonly own: readonly string[];
}

export interface Folded<T> {
  readonly first: T;
  /** Of whom the same is true. */
  readonly others: readonly T[];
}

/** A few are read sooner than understood from one. */
const FEW = 3;
const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** The sentence without what is this one's own. */
function anonymous(text: string, own: readonly string[]): string {
  const words = [...new Set(own)].filter((word) => word !== '' && text.includes(word));
  if (words.length === 0) return text;
  const longest = words.sort((a, b) => b.length - a.length).map(escaped);
  return text.replaceAll(new RegExp(`(?<![\\w.-])(?:${longest.join('|')})(?![\\w@-])`, 'g'), '\0');
}

/**
 * Groups in the order of their first. Word for word the same is one from two on: it is true of something that they share,
 * which may well have the name of one of them in it. Of the others, up to `few` alike stay on their own.
 */
export function foldSaid<T extends Said>(said: readonly T[], wide = false, few = FEW): Folded<T>[] {
  if (wide) return said.map((first) => ({ first, others: [] }));
  const verbatim = (one: Said): string => `${one.text}\0${one.hint ?? ''}`;
  const [texts, hints] = [groupBy(said, verbatim), groupBy(said, ({ hint }) => hint)];
  const isShared = (one: Said): boolean => (texts.get(verbatim(one))?.length ?? 0) > 1;
  const hintOf = ({ hint = '', own }: Said): string =>
    (hints.get(hint)?.length ?? 0) > 1 ? hint : anonymous(hint, own);
  const keyOf = (one: T): string =>
    isShared(one) ? verbatim(one) : `${anonymous(one.text, one.own)}\0${hintOf(one)}`;
  return [...groupBy(said, keyOf).values()].flatMap((group): Folded<T>[] => {
    const [first, ...others] = group;
    if (!first) return [];
    const folds = isShared(first) || group.length > few;
    return folds ? [{ first, others }] : group.map((one) => ({ first: one, others: [] }));
  });
}

/** Names and numbers of a stand that sentences about it may hold. */
export function wordsOfStand(stand: {
  readonly user: string;
  readonly pool: string;
  readonly vms: readonly { readonly vmid: number }[];
  readonly bridges: readonly { readonly iface: string }[];
}): string[] {
  return [
    stand.user,
    stand.pool,
    ...stand.vms.map(({ vmid }) => String(vmid)),
    ...stand.bridges.map(({ iface }) => iface),
  ];
}
