/** Texts that Perl cannot write to a socket as they are. Knows no HTTP. */

/** Characters above U+00FF are no bytes. */
export function isWide(text: string): boolean {
  return /[^\0-\xff]/.test(text);
}
