/** Flags in the configurations of guests, as PVE writes them. */

type Values = Readonly<Record<string, string>> | undefined;

/** A configuration that is not known says no. */
export function isTemplate(values: Values): boolean {
  return values?.['template'] === '1';
}

/** PVE removes neither it nor its disks. */
export function isProtected(values: Values): boolean {
  return values?.['protection'] === '1';
}
