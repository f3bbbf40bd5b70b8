/** Where build.ts puts the bin for tests that spawn it. */
import { fileURLToPath } from 'node:url';

/** As deep as `dist/lib/files`: the package's own files are found from there. */
export const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/deploy-stand/', import.meta.url));
export const BIN = `${FOLDER}cli.js`;
