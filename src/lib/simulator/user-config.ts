/** What user.cfg makes of texts between its being written and its being parsed. Keeps nothing itself. */

/**
 * AccessControl.pm parse_user_config strips blanks around each field and takes a `0` for nothing; all other
 * characters are percent-encoded on the way.
 */
export function storedText(text: string): string {
  const stripped = text.replaceAll(/^ +| +$/g, '');
  return stripped === '0' ? '' : stripped;
}
