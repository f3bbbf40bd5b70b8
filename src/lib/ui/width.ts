/** How wide lines may be on a stream. */

/** Narrower than this, tables fold worse than the terminal does. */
const NARROW = 60;
/** Of a terminal that does not tell. */
const USUAL = 80;

/** Lines are folded for a terminal; a pipe, a file and a log keep them whole. */
export function widthOf(stream: { readonly isTTY?: boolean; readonly columns?: number }): number {
  return stream.isTTY === true ? Math.max(NARROW, stream.columns ?? USUAL) : Infinity;
}
