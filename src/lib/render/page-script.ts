/** What pages do in a browser, without a framework: tables sort by their heads, and show the rows with the words asked for. */

/**
 * Nothing is made of the text of the page: rows change their order and are hidden. Without it the table is whole, and the
 * tools, which would do nothing, stay hidden.
 */
export const PAGE_SCRIPT = `
(() => {
  'use strict';
  const compare = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' }).compare;
  for (const table of document.querySelectorAll('table[data-sorts]')) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const read = () => [...body.rows].map((row) => ({
      row, text: row.textContent.toLowerCase(),
      keys: [...row.cells].map((cell) => cell.dataset.key ?? cell.textContent.trim()),
    }));
    let rows = read();
    heads.forEach((head, at) => head.querySelector('button')?.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') === 'ascending';
      for (const other of heads) if (other.hasAttribute('aria-sort')) other.setAttribute('aria-sort', 'none');
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      rows.sort((a, b) => {
        const [one, two] = [a.keys[at] ?? '', b.keys[at] ?? ''];
        if (one === '' || two === '') return (one === '' ? 1 : 0) - (two === '' ? 1 : 0);
        return down ? compare(two, one) : compare(one, two);
      });
      body.append(...rows.map(({ row }) => row));
    }));
    const tools = document.getElementById(table.dataset.sorts);
    if (!tools) continue;
    tools.hidden = false;
    const search = tools.querySelector('input[type=search]');
    const only = tools.querySelector('input[type=checkbox]');
    const count = tools.querySelector('.count');
    const show = () => {
      const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
      let shown = 0;
      for (const { row, text } of rows) {
        row.hidden = (only?.checked && !row.hasAttribute('data-bad')) || !words.every((word) => text.includes(word));
        if (!row.hidden) shown += 1;
      }
      count.textContent = shown === rows.length ? String(rows.length) : shown + ' / ' + rows.length;
    };
    search.addEventListener('input', show);
    only?.addEventListener('change', show);
    // Of a page that is kept up to date: other rows, in the place of those that were there.
    table.addEventListener('changed', () => { rows = read(); show(); });
    show();
  }
})();
`;
