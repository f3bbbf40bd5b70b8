/** Names and flags in the configurations of guests, as PVE writes them. */
import { propertiesOf } from './property-string.ts';

type Values = Readonly<Record<string, string>> | undefined;

/** Of a container it is its host name. */
export function nameIn(values: Values): string | undefined {
  return values?.['name'] ?? values?.['hostname'];
}

/** A configuration that is not known says no. */
export function isTemplate(values: Values): boolean {
  return values?.['template'] === '1';
}

/** PVE removes neither it nor its disks. */
export function isProtected(values: Values): boolean {
  return values?.['protection'] === '1';
}

/** `1`, or `enabled=1,…` in any place. */
export function hasAgent(values: Values): boolean {
  const [first, ...others] = propertiesOf(values?.['agent'] ?? '');
  const isEnabled = [first, ...others].some((one) => one?.key === 'enabled' && one.value === '1');
  return isEnabled || (first?.key === '1' && first.value === undefined);
}
