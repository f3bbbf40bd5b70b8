/** Another function in the place of one that a module exports, so that a rule of the product can be broken on purpose. */

/** Which one, by the file under src/: nobody but a module itself can replace what it exports, so these get a way in. */
export const REPLACED: Readonly<Record<string, string>> = {
  'lib/inventory/delegated.ts': 'tellDelegated',
  'lib/plan/cluster/templates.ts': 'resolveTemplate',
  'lib/plan/network/snapshot-bridges.ts': 'judgeSnapshotBridge',
  'lib/plan/stands/ownership.ts': 'verdictOn',
  'lib/plan/stands/state.ts': 'readStandState',
};

const wayIn = (name: string): string => `replace_${name}`;

/** What such a file ends with. */
export const withWayIn = (name: string): string =>
  `export function ${wayIn(name)}(by) { const was = ${name}; ${name} = by; return () => { ${name} = was; }; }`;

/** Returns what puts the former one back; undefined: the module has no way in. */
export function replaceExport(module: object, name: string, by: unknown): (() => void) | undefined {
  const replace = Reflect.get(module, wayIn(name)) as ((by: unknown) => () => void) | undefined;
  return replace?.(by);
}
