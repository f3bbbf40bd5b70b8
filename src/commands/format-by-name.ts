/** In which format a file is written: its name says it. */
import { extname } from 'node:path';

/** Of what is read, printed or calculated with. */
export type DocumentFormat = 'html' | 'markdown' | 'csv' | 'json';

export const DOCUMENT_FORMATS: Readonly<Record<string, DocumentFormat>> = {
  '.html': 'html',
  '.htm': 'html',
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.csv': 'csv',
  '.json': 'json',
};

/** Undefined: the name does not say it. */
export function formatByName<T extends string>(
  file: string,
  formats: Readonly<Record<string, T>>,
): T | undefined {
  return formats[extname(file).toLowerCase()];
}
