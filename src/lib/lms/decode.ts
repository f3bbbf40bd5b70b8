/** Bytes of an export → text, whatever spreadsheet saved it. Must not interpret the text. */

export interface Decoded {
  readonly text: string;
  /** As TextDecoder calls it. */
  readonly encoding: string;
}

const MARKS: readonly (readonly [encoding: string, mark: readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/** Undefined: these bytes are no text of that encoding. */
function decode(bytes: Uint8Array, encoding: string): Decoded | undefined {
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes), encoding };
  } catch {
    return undefined;
  }
}

/** UTF-16 without a mark: signs of the table itself (separators, digits, breaks) have a zero byte each, always on one side. */
function utf16Of(bytes: Uint8Array): string | undefined {
  const zeros = [0, 0];
  bytes.forEach((byte, at) => {
    if (byte === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  });
  const [even = 0, odd = 0] = zeros;
  if (even === odd) return undefined;
  return odd > even ? 'utf-16le' : 'utf-16be';
}

const HIGH = 0xc0;

/** Letters of Windows-1251 above ASCII come in words; those of Windows-1252 stand among ASCII letters. */
function codePageOf(bytes: Uint8Array): string {
  let inWords = 0;
  let alone = 0;
  bytes.forEach((byte, at) => {
    if (byte < HIGH) return;
    if ((bytes[at - 1] ?? 0) >= HIGH || (bytes[at + 1] ?? 0) >= HIGH) inWords += 1;
    else alone += 1;
  });
  return inWords > alone ? 'windows-1251' : 'windows-1252';
}

/** Undefined: this is no text. A byte order mark is no part of it. */
export function decodeExport(bytes: Uint8Array): Decoded | undefined {
  const marked = MARKS.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte));
  if (marked) return decode(bytes, marked[0]);
  if (bytes.includes(0)) {
    const encoding = utf16Of(bytes);
    const decoded = encoding === undefined ? undefined : decode(bytes, encoding);
    return decoded?.text.includes('\0') === true ? undefined : decoded;
  }
  return decode(bytes, 'utf-8') ?? decode(bytes, codePageOf(bytes));
}
