/** How pages look: light and dark, on a wide screen, on a telephone, on A4. Text only. */

const LIGHT = `--ink: #18202b; --soft: #51606f; --paper: #ffffff; --back: #f3f5f8; --edge: #d5dbe3; --good: #1c7a3f;
    --warn: #9a5b00; --bad: #b3261e; --bar: #3b6fd4; --bar-warn: #c97a00; --bar-bad: #c5392f; --bar-back: #e3e8ef; --link: #1f57b8;`;
const DARK = `--ink: #e8edf4; --soft: #a9b5c3; --paper: #171d26; --back: #10151c; --edge: #323c4a; --good: #63c98a;
    --warn: #f0b35a; --bad: #ff8f85; --bar: #6d9bf0; --bar-warn: #dd9a3c; --bar-bad: #ec7468; --bar-back: #2b3543; --link: #8fb4f5;`;

export const PAGE_STYLE = `
  :root { color-scheme: light dark; ${LIGHT} }
  @media (prefers-color-scheme: dark) { :root { ${DARK} } }
  @media print { :root { color-scheme: light; ${LIGHT} } }
  * { box-sizing: border-box; }
  body { margin: 0 auto; max-width: 1400px; padding: 20px; color: var(--ink); background: var(--back); font: 0.94rem/1.45 system-ui, sans-serif; }
  h1 { margin: 0; font-size: 1.6rem; overflow-wrap: anywhere; }
  h2 { margin: 0 0 10px; font-size: 1.15rem; }
  header p, .note { color: var(--soft); margin: 2px 0 0; }
  section { margin-top: 18px; padding: 16px; border: 1px solid var(--edge); border-radius: 10px; background: var(--paper); }
  .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; padding: 0; border: 0; background: none; }
  .tile { container-type: inline-size; padding: 12px 14px; border: 1px solid var(--edge); border-radius: 10px; background: var(--paper); }
  .tile b { display: block; font-size: clamp(1rem, 15cqi, 1.5rem); line-height: 1.2; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
  .tile span { color: var(--soft); font-size: 0.86rem; }
  .held { white-space: nowrap; }
  .good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
  .problem { margin: 0 0 12px; padding-left: 12px; border-left: 4px solid var(--bar-bad); overflow-wrap: anywhere; }
  .problem.mild { border-color: var(--bar-warn); }
  .problem h3 { margin: 0; font-size: 1rem; }
  .problem ul { margin: 2px 0; padding-left: 20px; }
  .problem p { margin: 4px 0 0; }
  code { font: 0.88em ui-monospace, monospace; padding: 1px 4px; border-radius: 4px; background: var(--back); overflow-wrap: anywhere; }
  .picture { overflow-x: auto; }
  .picture svg { display: block; max-width: 100%; height: auto; }
  .nodes { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(280px, 100%), 1fr)); gap: 12px; }
  .note + .nodes { margin-top: 8px; }
  .node { padding: 10px 12px; border: 1px solid var(--edge); border-radius: 8px; }
  .node h3 { display: flex; justify-content: space-between; gap: 8px; margin: 0 0 6px; font-size: 1rem; }
  .load { display: grid; grid-template-columns: 4.5em minmax(40px, 1fr) max-content; gap: 8px; align-items: center; font-size: 0.86rem; }
  .load span:last-child { text-align: right; font-variant-numeric: tabular-nums; }
  .bar { position: relative; display: block; height: 9px; min-width: 40px; border-radius: 5px; background: var(--bar-back); overflow: hidden;
    print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .bar i { position: absolute; inset: 0 auto 0 0; background: var(--bar); }
  .bar i.more { opacity: 0.5; }
  .bar i.high { background: var(--bar-warn); } .bar i.full { background: var(--bar-bad); }
  details { margin-top: 4px; } summary { cursor: pointer; } .node summary, .node .note { font-size: 0.88rem; }
  details p { margin: 4px 0 0; font-size: 0.88rem; overflow-wrap: anywhere; }
  .tools { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: center; margin-bottom: 10px; }
  .tools[hidden] { display: none; }
  .tools input[type=search] { flex: 1 1 220px; min-width: 0; padding: 7px 10px; border: 1px solid var(--edge); border-radius: 6px;
    color: inherit; background: var(--back); font: inherit; }
  .count { color: var(--soft); font-variant-numeric: tabular-nums; }
  table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
  table.wide { table-layout: fixed; }
  caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  th, td { padding: 6px 10px 6px 0; border-bottom: 1px solid var(--edge); text-align: left; vertical-align: top; overflow-wrap: anywhere; }
  thead th { color: var(--soft); font-weight: 600; font-size: 0.88rem; vertical-align: bottom; }
  th button { padding: 0; text-align: left; border: 0; color: inherit; background: none; font: inherit; cursor: pointer; }
  th[aria-sort] button::after { content: " \\2195"; opacity: 0.5; }
  th[aria-sort=ascending] button::after { content: " \\2191"; opacity: 1; }
  th[aria-sort=descending] button::after { content: " \\2193"; opacity: 1; }
  td > details { margin: 0; }
  td table { margin: 4px 0; font-size: 0.88rem; } td td, td th { padding: 2px 8px 2px 0; border: 0; }
  td thead th { font-size: 0.8rem; }
  button:focus-visible, input:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
  .live .state { height: 4.6em; margin-top: 4px; overflow: auto; color: var(--soft); } .live .state p { margin: 0; }
  .live .problems { height: 15rem; overflow: auto; resize: vertical; } .live .problems.calm { height: 5rem; } [data-empty]:empty::before { content: attr(data-empty); color: var(--soft); }
  @media print, screen and (min-width: 901px) { .tight { width: max-content; max-width: min(62vw, 860px); }
    .tight th, .tight td:not(:first-child, :nth-child(n+7)) { overflow-wrap: normal; } }
  @media screen and (min-width: 901px) {
    .live .tight { width: min(60vw, 34em); } .live .tight table { table-layout: fixed; } .live .tight th { width: 11%; }
    .live .tight th:nth-child(1) { width: 24%; } .live .tight th:nth-child(2) { width: 13%; } .live .tight th:nth-child(3) { width: 22%; } .live .tight th:nth-child(4) { width: 19%; } }
  .live { overflow-anchor: none; } .live .node { min-height: 7.4rem; }
  @media screen { .live summary, .live table.wide > tbody > tr > td:nth-child(n+3):not(:has(details)) { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; } }
  section:has(> [data-list=notes]:empty) { display: none; }
  .enter { display: grid; gap: 8px; max-width: 24rem; margin: 12vh auto 0; }
  .enter input, .enter button { padding: 8px 10px; border: 1px solid var(--edge); border-radius: 6px; color: inherit; background: var(--paper); font: inherit; }
  @media (max-width: 1150px) { th, td { padding-right: 6px; } table.wide { font-size: 0.82rem; } thead th { font-size: 0.76rem; } }
  @media screen and (max-width: 900px) {
    body { padding: 12px; }
    table.wide > colgroup { display: none; }
    table.wide > thead > tr { display: flex; flex-wrap: wrap; gap: 2px 14px; }
    table.wide > thead th { border: 0; padding: 2px 0; }
    table.wide, table.wide > thead, table.wide > tbody { display: block; }
    table.wide > tbody > tr { display: grid; grid-template-columns: 1fr 1fr; gap: 0 12px; padding: 8px 0; border-bottom: 1px solid var(--edge); }
    table.wide > tbody > tr[hidden] { display: none; }
    table.wide > tbody > tr > td { border: 0; padding: 2px 0; }
    table.wide > tbody > tr > td:first-child { grid-column: 1 / -1; font-weight: 600; }
    table.wide > tbody > tr > td { min-width: 0; } body:not(.live) table.wide > tbody > tr > td:empty { display: none; }
    .tight thead { display: none; } .tight tr { display: grid; grid-template-columns: 1.2fr 1fr 1.1fr; gap: 0 8px; padding: 3px 0; } .tight td { padding: 0; }
    .tight td:nth-child(n+7) { grid-column: 1 / -1; }
    .tight td:first-child { font-weight: 600; } .tight td[data-label]::before { content: attr(data-label) " "; color: var(--soft); }
    .tight tr + tr { border-top: 1px solid var(--edge); } body:not(.live) .tight td:empty { display: none; }
    table.wide > tbody > tr > td.whole { grid-column: 1 / -1; }
    table.wide > tbody > tr > td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); font-weight: 400; font-size: 0.86rem; }
  }
  @page { size: A4; margin: 12mm; }
  @media print {
    :root { font-size: 9pt; } body { padding: 0; max-width: none; background: none; }
    section { padding: 8px 0; border: 0; border-top: 1px solid var(--edge); border-radius: 0; margin-top: 8px; }
    .tiles { grid-template-columns: repeat(4, 1fr); } .tile { padding: 6px 8px; } .tile b { font-size: 1.2rem; }
    .live .state, .live .problems, .live .problems.calm { height: auto; overflow: visible; resize: none; }
    th button { display: contents; } .tools, th[aria-sort] button::after { display: none; content: none; }
    .problem, .node, .tile, tr { break-inside: avoid; } h2, h3 { break-after: avoid; } thead { display: table-header-group; }
    tr:has(details[open]) { break-inside: auto; } td tr { break-inside: avoid; }
    .picture { overflow: visible; } .picture svg { min-width: 0 !important; max-height: 110mm; }
    th, td, td td, td th { padding: 2px 6px 2px 0; } .tight { max-width: 130mm; }
  }
`;
