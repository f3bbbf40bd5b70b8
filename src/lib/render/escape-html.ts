/** Foreign text inside HTML and SVG: shown, and neither obeyed nor hidden. */
import { escapeControl } from './escape.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** For text and for values of attributes between double quotes. */
export function escapeHtml(text: string): string {
  return escapeControl(text).replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '');
}
