/** What tests have started ends after them. Must not import what it ends: every test file loads this one. */
const cleanups: (() => Promise<void> | void)[] = [];

export function afterwards(cleanup: () => Promise<void> | void): void {
  cleanups.push(cleanup);
}

/** After each test, see setup.ts. The last one first. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}
