/**
 * Reads the unified diff that PVE shows for staged network edits, as one row per interface. Must not decide what to
 * do about them.
 *
 * PVE writes a stanza as `auto X`, `iface X inet manual`, options, `#comment` lines, and a blank line (pve-common
 * INotify.pm). Its first write to a file made by hand or by the installer also adds a head of comments, respells
 * options, and lists the idle physical ports; that is not anybody's edit and does nothing when applied.
 */

export interface PendingChange {
  readonly iface: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Of the interface; of one that goes, as it was. Empty if none is known. */
  readonly comment: string;
  readonly text: string;
}

interface ListedRow {
  readonly iface: string;
  readonly comments: string;
  readonly vlanAware?: boolean;
  /** Place in the file. */
  readonly priority?: number;
}

/** What tells whose lines a hunk shows. */
interface Known {
  readonly rows: readonly ListedRow[];
  readonly nameIn: (comment: string) => string | undefined;
  /** How many rows the former hunks have told of: hunks come in the order of the file. */
  readonly behind: number;
}

/** One line of one side of the diff; `sign` is ' ' for what both sides have. */
interface Line {
  readonly sign: ' ' | '+' | '-';
  readonly text: string;
}

/** Lines of one interface before and after, from all over the diff, and the comments seen among them. */
interface Edit {
  readonly lines: Line[];
  readonly oldComments: string[];
  readonly newComments: string[];
}

/** For lines that belong to no known interface; nothing is written like this in the file. */
export const UNKNOWN = '?';
const HEADER = /^(?:auto|allow-\S+|iface)\s+(\S+)/;

/** `nameIn`: the interface that a comment itself names, if it does. */
export function parsePendingChanges(
  changes: string,
  rows: readonly ListedRow[],
  nameIn: (comment: string) => string | undefined = () => undefined,
): PendingChange[] {
  const edits = new Map<string, Edit>();
  const inFileOrder = rows.every(({ priority }) => priority !== undefined)
    ? [...rows].sort((a, b) => (a.priority ?? 0) - (b.priority ?? 0))
    : rows;
  let known: Known = { rows: inFileOrder, nameIn, behind: 0 };
  for (const hunk of hunksOf(changes)) known = { ...known, behind: collect(edits, hunk, known) };
  const found = [...edits]
    .map(([iface, edit]) => [iface, { ...edit, lines: withoutPairs(edit.lines) }] as const)
    .filter(([, edit]) => edit.lines.length > 0 && !isIdlePort(edit.lines));
  const isNamed = ([iface]: readonly [string, Edit]): boolean => !iface.startsWith(UNKNOWN);
  const unnamed = found.filter((entry) => !isNamed(entry)).flatMap(([, edit]) => edit.lines);
  return [
    ...found.filter(isNamed).map(([iface, edit]) => changeOf(iface, edit, rows)),
    ...(unnamed.length === 0 ? [] : [unnamedChange(unnamed)]),
  ];
}

interface Hunk {
  readonly isFileStart: boolean;
  readonly id: number;
  readonly lines: Line[];
}

function hunksOf(changes: string): Hunk[] {
  const hunks: Hunk[] = [];
  for (const raw of changes.split(/\r?\n/)) {
    const head = /^@@ -(\d+)/.exec(raw);
    if (head) hunks.push({ isFileStart: Number(head[1]) <= 1, id: hunks.length, lines: [] });
    const sign = raw.charAt(0);
    // Before the first @@ come the file names; `\` says that the last newline is missing.
    if (sign === ' ' || sign === '+' || sign === '-') hunks.at(-1)?.lines.push({ sign, text: raw.slice(1) });
  }
  return hunks;
}

/** The result: how many rows lie behind this hunk. */
function collect(edits: Map<string, Edit>, hunk: Hunk, known: Known): number {
  const sideOf = (side: '-' | '+'): Stanza[] =>
    stanzasOf(
      hunk.lines.filter((line) => line.sign === ' ' || line.sign === side),
      !hunk.isFileStart,
    );
  const after = sideOf('+');
  // Rows show the staged state, so that only the new side can be looked up in them.
  const tailOwner = ownerOf(after, known) ?? `${UNKNOWN}${hunk.id}`;
  for (const [side, stanzas] of [['-', sideOf('-')] as const, ['+', after] as const]) {
    for (const stanza of stanzas) {
      const comments = commentsOf(stanza);
      // Comments outside a stanza are the head of the file: without effect and without an owner.
      const isHead = stanza.iface === undefined && !stanza.isTail && comments.length === stanza.lines.length;
      if (isHead) continue;
      const iface = stanza.iface ?? (stanza.isTail ? tailOwner : UNKNOWN);
      const edit = edits.get(iface) ?? { lines: [], oldComments: [], newComments: [] };
      // Lines of both sides, too: they may be of one stanza before, and of another one after. What did not change goes later.
      edit.lines.push(...stanza.lines.map(({ text }) => ({ sign: side, text })));
      (side === '-' ? edit.oldComments : edit.newComments).push(...comments);
      edits.set(iface, edit);
    }
  }
  const seen = new Set([
    tailOwner,
    ...after.map(({ iface, lines }) => (lines.length > 1 ? iface : undefined)),
  ]);
  return Math.max(known.behind, known.rows.findLastIndex(({ iface }) => seen.has(iface)) + 1);
}

function commentsOf(stanza: Stanza | undefined): string[] {
  return (stanza?.lines ?? []).filter((line) => line.text.startsWith('#')).map((line) => line.text.slice(1));
}

interface Stanza {
  readonly iface: string | undefined;
  /** The hunk begins inside this stanza, so that its name is out of sight. */
  readonly isTail: boolean;
  readonly lines: Line[];
}

function stanzasOf(lines: readonly Line[], mayStartInside: boolean): Stanza[] {
  const stanzas: Stanza[] = [];
  let open: Stanza | undefined;
  const start = (iface: string | undefined): Stanza => {
    const stanza = {
      iface,
      isTail: mayStartInside && stanzas.length === 0 && iface === undefined,
      lines: [],
    };
    stanzas.push(stanza);
    return stanza;
  };
  for (const line of lines) {
    if (line.text.trim() === '') {
      open = undefined;
      continue;
    }
    const iface = HEADER.exec(line.text)?.[1];
    if (iface !== undefined && open?.iface !== iface) open = start(iface);
    open ??= start(undefined);
    open.lines.push(line);
  }
  return stanzas;
}

/**
 * Three lines of context may not reach up to the name of the stanza that a hunk begins in. Then its mark names it, or it
 * is the only one with that comment, or it stands right before a stanza whose name is in sight. Among several that would
 * do, of which one comment tells as much as the other, it is the first that no former hunk has told of.
 */
function ownerOf(stanzas: readonly Stanza[], { rows, nameIn, behind }: Known): string | undefined {
  const tail = stanzas.find((stanza) => stanza.isTail);
  if (!tail) return undefined;
  const comments = commentsOf(tail);
  const named = comments.map(nameIn).find((iface) => iface !== undefined);
  if (named !== undefined) return rows.some(({ iface }) => iface === named) ? named : undefined;
  const wanted = comments.join('\n').trim();
  const before = rowBefore(stanzas[stanzas.indexOf(tail) + 1]?.iface, rows);
  if (before?.comments.trim() === wanted) return before.iface;
  const isAware = tail.lines.some(({ text }) => /^\s*bridge[-_]vlan[-_]aware\s/.test(text));
  const fits = (row: ListedRow, index: number): boolean =>
    index >= behind && row.comments.trim() === wanted && !(isAware && row.vlanAware === false);
  return comments.length === 0 ? undefined : rows.find(fits)?.iface;
}

/** PVE counts the stanzas of the file; what the caller may not see leaves a gap. */
function rowBefore(iface: string | undefined, rows: readonly ListedRow[]): ListedRow | undefined {
  const next = rows.find((row) => row.iface === iface)?.priority;
  return next === undefined ? undefined : rows.find(({ priority }) => priority === next - 1);
}

/** Drops pairs of lines that differ in nothing, or in spelling or place only (`bridge_ports` and `bridge-ports`). */
function withoutPairs(lines: readonly Line[]): Line[] {
  const kept: Line[] = [];
  for (const line of lines) {
    const twin = kept.findIndex((k) => k.sign !== line.sign && spelling(k.text) === spelling(line.text));
    if (twin === -1) kept.push(line);
    else kept.splice(twin, 1);
  }
  return kept;
}

function spelling(text: string): string {
  const [key = '', ...rest] = text.trim().split(/\s+/);
  return [key.replaceAll('_', '-'), ...rest].join(' ');
}

/** `iface eno2 inet manual` and nothing else: a port that PVE found; without `auto`, applying does not touch it. */
function isIdlePort(lines: readonly Line[]): boolean {
  return lines.every((line) => line.sign === '+' && /^iface\s+\S+\s+inet\s+manual\s*$/.test(line.text));
}

function changeOf(iface: string, edit: Edit, rows: readonly ListedRow[]): PendingChange {
  const heads = edit.lines.filter((line) => /^iface\s+\S+\s+inet\s/.test(line.text)).map((line) => line.sign);
  const isAll = (sign: '+' | '-'): boolean =>
    heads.includes(sign) && edit.lines.every((l) => l.sign === sign);
  const change = isAll('+') ? 'added' : isAll('-') ? 'removed' : 'changed';
  const seen = change === 'removed' ? edit.oldComments[0] : edit.newComments[0];
  const row = change === 'changed' ? rows.find((candidate) => candidate.iface === iface) : undefined;
  return { iface, change, comment: row?.comments ?? seen ?? '', text: textOf(edit.lines) };
}

function unnamedChange(lines: readonly Line[]): PendingChange {
  return { iface: UNKNOWN, change: 'changed', comment: '', text: textOf(lines) };
}

function textOf(lines: readonly Line[]): string {
  return lines.map((line) => line.sign + line.text).join('\n');
}
