/** The table of `src/lib/simulator/contract/official-paths.ts` as the official contract gives it. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { versions } from '../../src/lib/simulator/version.ts';
import { officialEndpoints } from './official.ts';

const file = fileURLToPath(new URL('../../src/lib/simulator/contract/official-paths.ts', import.meta.url));

const all = versions.map((version) => version.slice(0, 1)).join('');

/** One line per path: `/pools/{poolid} GET PUT DELETE`, with the versions where not all have it. */
function officialPathLines(): string[] {
  const majors = new Map<string, string>();
  for (const version of versions) {
    for (const key of Object.keys(officialEndpoints(version))) {
      majors.set(key, (majors.get(key) ?? '') + version.slice(0, 1));
    }
  }
  const lines = new Map<string, string>();
  for (const [key, digits] of [...majors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [method = '', path = ''] = key.split(' ');
    lines.set(path, `${lines.get(path) ?? path} ${method}${digits === all ? '' : digits}`);
  }
  return [...lines.values()].sort();
}

export function writeOfficialPaths(): void {
  writeFileSync(
    file,
    `/** Every path and method of PVE's API, modelled or not; a digit names a major version that has it. Data only. */
export const officialPaths = \`
${officialPathLines().join('\n')}
\`;
`,
  );
}
