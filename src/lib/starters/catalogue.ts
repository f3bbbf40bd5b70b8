/** The labs that come with the package: which there are, and their files as they are shipped. Changes none of them. */
import { readPackageFile } from '../files/package.ts';

/** From the simplest on. A folder of each is in `starters/`. */
export const STARTERS = [
  'single-machine',
  'router-and-hosts',
  'dmz',
  'two-sites',
  'domain',
  'server-and-clients',
  'security-range',
  'kubernetes',
] as const;

export type StarterName = (typeof STARTERS)[number];

export function isStarter(name: string): name is StarterName {
  return (STARTERS as readonly string[]).includes(name);
}

/** The lab as it is shipped. */
export function starterLab(name: StarterName): string {
  return readPackageFile(`starters/${name}/lab.yml`);
}

/** What has to work in it. */
export function starterChecks(name: StarterName): string {
  return readPackageFile(`starters/${name}/checks.yml`);
}

/** What the lab is, and what all labs have in common. */
export function starterReadme(name: StarterName): string {
  const common = readPackageFile('starters/first-steps.md').replaceAll('{starter}', name);
  return readPackageFile(`starters/${name}/README.md`) + common;
}

/** Its first line says what it is. */
export function describeStarter(name: StarterName): string {
  return starterLab(name).split('\n', 1).join('').replace(/^# /, '').replace(/\.$/, '');
}
