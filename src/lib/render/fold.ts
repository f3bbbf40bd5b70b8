/** Says once what is true of many: sentences that differ only in whose they are. */
import { foldSaid, type Said } from '../said.ts';
import { escapeControl } from './escape.ts';
import { paragraph, type RenderOptions } from './layout.ts';

export interface FoldOptions extends RenderOptions {
  /** Everything in full, however often it is the same. */
  readonly wide?: boolean;
}

/** Names beyond these are counted. */
const MOST_NAMES = 8;

/** `the same for 24 more: boris@pve, carla@pve, …`, and how to see them all. */
export function sameFor(others: readonly { readonly who: string }[]): string {
  const names = others.slice(0, MOST_NAMES).map(({ who }) => who);
  const left = others.length - names.length;
  const more = left === 0 ? '' : ` and ${left} ${left === 1 ? 'other' : 'others'} (--wide names all)`;
  return `the same for ${others.length} more: ${names.join(', ')}${more}`;
}

/** The sentences as lines, each with those of whom the same is true. */
export function foldedLines(
  said: readonly Said[],
  { width, wide }: Pick<FoldOptions, 'width' | 'wide'>,
  lineOf = ({ text }: Said): string => text,
): string[] {
  return foldSaid(said, wide).flatMap(({ first, others }) => [
    ...paragraph(escapeControl(lineOf(first)), { width, hang: 2 }),
    ...(others.length === 0 ? [] : paragraph(escapeControl(sameFor(others)), { width, indent: 2, hang: 2 })),
  ]);
}
