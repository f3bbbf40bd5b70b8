/** A script as arguments that the guest agent of a machine gets through PVE unharmed. Runs nothing. */

/** PVE hands a guest agent nothing beyond Latin-1 (qemu-server QMPClient.pm), and 7.4 takes NULs for the ends of words. */
export function isPassable(text: string): boolean {
  return !/[^\t\n\r -~]/.test(text);
}

const octal = (byte: number): string => `\\0${byte.toString(8).padStart(3, '0')}`;

/** As `printf %b` of any POSIX shell reads it. */
function escaped(script: string): string {
  return [...Buffer.from(script, 'utf8')]
    .map((byte) => {
      if (byte > 126 || (byte < 32 && byte !== 9 && byte !== 10)) return octal(byte);
      return byte === 0x5c ? String.raw`\\` : String.fromCharCode(byte);
    })
    .join('');
}

/** Comments in Cyrillic are nothing odd: such a script is put together in the machine. */
export function shellArgv(script: string): string[] {
  return isPassable(script)
    ? ['/bin/sh', '-c', script]
    : ['/bin/sh', '-c', 'eval "$(printf %b "$1")"', 'sh', escaped(script)];
}
