/** Where build.ts puts the bin for tests that spawn it. */
import { fileURLToPath } from 'node:url';

/** As deep as `dist/lib/files`: the package's own files are found from there. */
export const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/deploy-stand/', import.meta.url));
/** As workers of the suite run: a process that lives a second does not earn what V8 spends on making it fast. */
export const NODE = [process.execPath, '--interrupt-budget=600000'] as const;
export const BIN = `${FOLDER}cli.js`;
