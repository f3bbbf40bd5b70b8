/** Whether a text holds SSH public keys, line by line, as `ssh-keygen -l` sees it. Checks no curve points. */

function isKey(type: string, blob: string): boolean {
  const bytes = Buffer.from(blob, 'base64');
  if (bytes.length < 4 || !/^[A-Za-z0-9+/]+={0,2}$/.test(blob)) return false;
  const length = bytes.readUInt32BE(0);
  return bytes.length > 4 + length && bytes.toString('latin1', 4, 4 + length) === type;
}

/** URI::Escape leaves alone what is no sequence. */
function unescaped(text: string): string {
  return text.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** `text` is percent-encoded, as the option wants it. Options before the key's type are legal. */
export function areSshKeys(text: string): boolean {
  return unescaped(text)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .every((line) => {
      const words = line.trim().split(/\s+/);
      return words.some((word, i) => isKey(word, words[i + 1] ?? ''));
    });
}
