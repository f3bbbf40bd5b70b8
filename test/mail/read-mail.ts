/** Reads a mail of one plain part, for tests: written from RFC 5322, 2045 and 2047, and not by the library that wrote it. */

export interface ReadMail {
  readonly headers: ReadonlyMap<string, string>;
  readonly subject: string;
  readonly text: string;
}

function quotedPrintable(text: string): Buffer {
  const joined = text.replaceAll(/=\r?\n/g, '');
  return Buffer.from(
    joined.replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

/** `=?UTF-8?Q?…?=` and `?B?`; between two of them blanks mean nothing. */
function words(text: string): string {
  const parts: Buffer[] = [];
  const joined = text.replaceAll(/\?=\s+=\?/g, '?==?');
  let at = 0;
  for (const match of joined.matchAll(/=\?utf-8\?([QB])\?([^?]*)\?=/gi)) {
    const [whole, kind = '', body = ''] = match;
    parts.push(Buffer.from(joined.slice(at, match.index)));
    parts.push(
      kind.toUpperCase() === 'B' ? Buffer.from(body, 'base64') : quotedPrintable(body.replaceAll('_', ' ')),
    );
    at = match.index + whole.length;
  }
  parts.push(Buffer.from(joined.slice(at)));
  return Buffer.concat(parts).toString('utf8');
}

export function simpleParser(raw: string): ReadMail {
  const [head = '', ...rest] = raw.split(/\r?\n\r?\n/);
  const body = rest.join('\r\n\r\n');
  const lines = head.replaceAll(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const encoding = headers.get('content-transfer-encoding') ?? '7bit';
  const decoded =
    encoding === 'base64'
      ? Buffer.from(body, 'base64')
      : encoding === 'quoted-printable'
        ? quotedPrintable(body)
        : Buffer.from(body);
  return { headers, subject: words(headers.get('subject') ?? ''), text: decoded.toString('utf8') };
}
