/** Adds connections to the text of a file and takes them out, comments and order kept. Must not read or write files. */
import { isMap, isScalar, stringify, type Document, type Node, type Pair, type YAMLMap } from 'yaml';
import { cannotEdit, documentOf, lineBreakOf, nextLine, splice, startOfLine, type Splice } from './splice.ts';

export type Entry = Readonly<Record<string, unknown>>;

type Root = YAMLMap<Node, Node | null>;

interface Opened {
  readonly document: Document.Parsed;
  /** Undefined: nothing but comments. */
  readonly root: Root | undefined;
}

function open(text: string, file: string): Opened {
  const document = documentOf(text, file);
  if (document.contents === null) return { document, root: undefined };
  if (!isMap(document.contents)) throw cannotEdit(file);
  return { document, root: document.contents }; // readConnections accepts keys that are text only
}

const nameOf = ({ key }: Pair<Node, Node | null>): string =>
  isScalar(key) ? (key.source ?? String(key.value)) : '';

function find(root: Root | undefined, name: string): Pair<Node, Node | null> | undefined {
  return root?.items.find((pair) => nameOf(pair) === name);
}

const keyAt = (pair: Pair<Node, Node | null>): number => pair.key.range?.[0] ?? 0;

/** As YAML 1.1 and 1.2 both read it. */
function render(value: unknown, indent: string, eol: string): string {
  const lines = stringify(value, { version: '1.1', lineWidth: 0, blockQuote: 'literal' })
    .trimEnd()
    .split('\n');
  return lines.map((line) => (line === '' ? '' : indent + line) + eol).join('');
}

function indentOf(text: string, root: Root | undefined): string {
  const first = root?.items[0];
  return first ? text.slice(startOfLine(text, keyAt(first)), keyAt(first)) : '';
}

const isComment = (line: string): boolean => /^\s*#/.test(line);

interface Lines {
  readonly start: number;
  readonly end: number;
}

/** From the key's line to the last line that belongs to it: values, and comments that are indented like them. */
function linesOf(text: string, pair: Pair<Node, Node | null>, indent: string): Lines {
  const start = startOfLine(text, keyAt(pair));
  const last = text.slice(0, pair.value?.range?.[1] ?? keyAt(pair)).trimEnd().length;
  let end = nextLine(text, Math.max(last - 1, keyAt(pair)));
  for (;;) {
    const line = text.slice(end, nextLine(text, end));
    const depth = /^ */.exec(line)?.[0].length ?? 0;
    if (!isComment(line) || depth <= indent.length) return { start, end };
    end = nextLine(text, end);
  }
}

/** The comment right above an entry speaks of it, unless it is the head of the file. */
function withComment(text: string, { start, end }: Lines): Lines {
  let from = start;
  while (from > 0 && isComment(text.slice(startOfLine(text, from - 1), from)))
    from = startOfLine(text, from - 1);
  const before = text.slice(0, from);
  const isBlankBefore = /(^|\n)[^\S\n]*\r?\n$/.test(before);
  if (from > 0 && isBlankBefore) return { start: from, end };
  return { start, end };
}

/** Leaves one blank line, not two, where an entry was. */
function closeGap(text: string, { start, end }: Lines): Lines {
  const isBlankBefore = start === 0 || /\n[^\S\n]*\r?\n$/.test(text.slice(0, start));
  const blank = /^[^\S\n]*\r?\n/.exec(text.slice(end))?.[0] ?? '';
  return isBlankBefore ? { start, end: end + blank.length } : { start, end };
}

function defaultSplice(text: string, { root }: Opened, name: string): Splice {
  const eol = lineBreakOf(text);
  const written = stringify(name, { version: '1.1' }).trimEnd();
  const value = find(root, 'default')?.value;
  if (value?.range) return { start: value.range[0], end: value.range[1], text: written };
  const first = root?.items[0];
  const at = first ? startOfLine(text, keyAt(first)) : text.length;
  return { start: at, end: at, text: `${indentOf(text, root)}default: ${written}${eol}` };
}

/** For `{…}` and JSON: comments and order are kept, the layout is the library's. */
function rewrite(document: Document.Parsed, change: () => void, text: string): string {
  change();
  const flow = document.toString({ lineWidth: 0, flowCollectionPadding: true });
  return text.includes('\r\n') ? flow.replaceAll(/\r?\n/g, '\r\n') : flow;
}

/** Adds or replaces (in its place) one connection; `asDefault` names it the default. */
export function putEntry(
  text: string,
  file: string,
  { name, entry, asDefault }: { readonly name: string; readonly entry: Entry; readonly asDefault: boolean },
): string {
  const opened = open(text, file);
  const { document, root } = opened;
  if (root?.flow) {
    return rewrite(
      document,
      () => {
        document.set(name, document.createNode(entry, { flow: true }));
        if (asDefault) document.set('default', name);
      },
      text,
    );
  }
  const eol = lineBreakOf(text);
  const block = render({ [name]: entry }, indentOf(text, root), eol);
  const present = find(root, name);
  const head = asDefault ? [defaultSplice(text, opened, name)] : [];
  if (present) {
    const lines = linesOf(text, present, indentOf(text, root));
    return splice(text, [{ ...lines, text: block }, ...head]);
  }
  const base = splice(text, head);
  const end = base === '' || base.endsWith('\n') ? '' : eol;
  const gap = base.trim() === '' || /\n\r?\n$/.test(base) ? '' : eol;
  return `${base}${end}${gap}${block}`;
}

/** Without this connection, and without the `default:` that names it. */
export function removeEntry(
  text: string,
  file: string,
  { name, isDefault }: { readonly name: string; readonly isDefault: boolean },
): string {
  const { document, root } = open(text, file);
  const gone = [name, ...(isDefault ? ['default'] : [])];
  if (root?.flow) {
    return rewrite(document, () => gone.forEach((key) => document.delete(key)), text);
  }
  const indent = indentOf(text, root);
  const spans = gone.flatMap((key) => {
    const pair = find(root, key);
    if (!pair) return [];
    const lines = linesOf(text, pair, indent);
    return [closeGap(text, key === name ? withComment(text, lines) : lines)];
  });
  return splice(
    text,
    spans.map((span) => ({ ...span, text: '' })),
  );
}

/** One more key of a connection, or another value for it; all other lines stay as they are. */
export function putKey(
  text: string,
  file: string,
  { name, key, value }: { readonly name: string; readonly key: string; readonly value: string },
): string {
  const { root } = open(text, file);
  const entry = find(root, name);
  if (!root || !entry || !isMap<Node, Node | null>(entry.value)) throw cannotEdit(file);
  const { flow, items } = entry.value;
  const written = flow ? JSON.stringify(value) : stringify(value, { version: '1.1', lineWidth: 0 }).trimEnd();
  const present = find(entry.value, key);
  const [start, end] = present?.value?.range ?? [];
  if (start !== undefined && end !== undefined && (flow || isScalar(present?.value)))
    return splice(text, [{ start, end, text: written }]);
  if (flow) {
    const last = items.at(-1)?.value?.range?.[1];
    if (last === undefined || present) throw cannotEdit(file);
    return splice(text, [{ start: last, end: last, text: `, ${JSON.stringify(key)}: ${written}` }]);
  }
  const eol = lineBreakOf(text);
  const line = `${indentOf(text, entry.value)}${key}: ${written}${eol}`;
  if (present) return splice(text, [{ ...linesOf(text, present, indentOf(text, entry.value)), text: line }]);
  const { end: at } = linesOf(text, entry, indentOf(text, root));
  const isOpen = text.charAt(at - 1) !== '\n';
  return splice(text, [{ start: at, end: at, text: isOpen ? `${eol}${line}` : line }]);
}
