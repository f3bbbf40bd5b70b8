/** Tables for spreadsheets. Knows no column. */

/** Spreadsheets run a cell that starts like this as a formula; an apostrophe in front makes it text. */
export const FORMULA = /^'*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

function writeCell(value: string): string {
  // An apostrophe that stands there already is doubled, so that reading takes exactly ours away.
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",;'\r\n\t]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A table that no spreadsheet takes for anything but text. */
export function formatCsv(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [columns, ...rows].map((cells) => `${cells.map(writeCell).join(',')}\n`).join('');
}
