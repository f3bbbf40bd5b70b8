/** Makes foreign text safe to print: names come from servers and files. Changes nothing that is printable. */

/**
 * Controls, invisible format characters (bidi overrides among them), line separators, lone surrogates, and what is no character
 * (U+FFFE in XML ends the whole document).
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeOne(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return SHORT[character] ?? (code <= 0xff ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`);
}

/** Writes what a terminal would act upon as visible escapes, line breaks included. */
export function escapeControl(text: string): string {
  return text.replace(UNSAFE, escapeOne);
}

/** The lines of a message that may have several (task logs), each escaped. */
export function escapeLines(text: string): string[] {
  return text.trimEnd().split(/\r?\n/).map(escapeControl);
}

/** The same JSON text (or double-quoted YAML), with what a terminal would act upon written as `\uXXXX`. */
export function escapeJson(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === '\n'
      ? character
      : Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
          .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
          .join(''),
  );
}
