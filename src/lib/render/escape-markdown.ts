/** Foreign text inside Markdown: nothing of it is taken for markup. */
import { escapeControl } from './escape.ts';

/** What means something inside a line or a table, HTML included. */
export function escapeMarkdown(text: string): string {
  return escapeControl(text).replace(/[\\`*_[\]<>|~&!]/g, '\\$&');
}

/** Of cells that are escaped already. */
export function markdownRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
