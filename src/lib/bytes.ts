/** Sizes as the product says them: binary units, in bytes everywhere inside. */

export const MIB = 2 ** 20;
export const GIB = 2 ** 30;

/** Bytes as a bare number of GiB, for a sentence that names the unit once. */
export const inGib = (bytes: number): string => (bytes / GIB).toFixed(1);

/** `1.5 GiB` */
export const gib = (bytes: number): string => `${inGib(bytes)} GiB`;
