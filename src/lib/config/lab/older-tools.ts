/** Leaves out the keys that older tools write into a lab file for themselves; says so once. Judges nothing else. */
import { isMapping, list, type Written } from '../input/written.ts';
import type { Issues, Path } from '../input/issues.ts';

/** Copies of templates that they made, when they wrote the file, what they call the lab, remarks. */
const THEIR_KEYS: ReadonlySet<string> = new Set([
  'local_templates',
  'metadata',
  'stand_type',
  'replicas',
  'comment',
]);

/** Below these, entries may have such keys, too. */
const LISTS: ReadonlySet<string> = new Set(['machines', 'networks']);

function strip(value: Written, path: Path, found: Path[]): Written {
  const kept = Object.entries(value).flatMap(([key, item]): [string, unknown][] => {
    if (THEIR_KEYS.has(key)) {
      found.push([...path, key]);
      return [];
    }
    if (!LISTS.has(key) || !Array.isArray(item)) return [[key, item]];
    return [
      [
        key,
        list(item).map((entry, at) => (isMapping(entry) ? strip(entry, [...path, key, at], found) : entry)),
      ],
    ];
  });
  return Object.fromEntries(kept);
}

export function withoutTheirKeys(lab: Written, issues: Issues): Written {
  const found: Path[] = [];
  const stripped = strip(lab, [], found);
  const [first] = found;
  if (first === undefined) return lab;
  const names = [...new Set(found.map((path) => String(path.at(-1))))];
  const others = names.filter((name) => name !== first.at(-1));
  const more = others.length === 0 ? '' : `; so is every ${others.join(', ')}`;
  issues.warn(first, `ignored: older tools keep this key for themselves${more}`, { at: 'key' });
  return stripped;
}
