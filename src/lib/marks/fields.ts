/** What every mark is written with: our word and `key=value` words behind it. Knows no object that is marked. */

/** The word that all marks begin with. */
export const MARK = 'deploy-stand';

type Fields = Readonly<Record<string, string>>;

/** The `key=value` words of a line of ours. */
export function parseFields(text: string): Fields {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const word of text.split(/\s+/)) {
    const at = word.indexOf('=');
    if (at > 0) fields[word.slice(0, at)] = word.slice(at + 1);
  }
  return fields;
}
