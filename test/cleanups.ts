/** What tests have started ends after them. Must not import what it ends: every test file loads this one. */
const cleanups: (() => Promise<void> | void)[] = [];

let isTest = true;

/** Does a test run, or is its file only read? */
export function underTest(is: boolean): void {
  isTest = is;
}

export function afterwards(cleanup: () => Promise<void> | void): void {
  if (!isTest) throw new Error('made before the tests, it would end with the first of them');
  cleanups.push(cleanup);
}

/** After each test, see setup.ts. The last one first. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** What several tests look at is made, and all that was started for it ended, before them. */
export async function beforehand(make: () => Promise<void>): Promise<void> {
  underTest(true);
  await make();
  await cleanUp();
  underTest(false);
}
