/** Changes the text of a connections file here and there, and leaves every other byte alone. Must not read or write files. */
import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  parseDocument,
  visit,
  type Document,
  type Scalar,
} from 'yaml';
import { ConfigError, InternalError } from '../errors.ts';

export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Splices must not overlap. */
export function splice(text: string, splices: readonly Splice[]): string {
  const ordered = [...splices].sort((a, b) => b.start - a.start || b.end - a.end);
  return ordered.reduce(
    (changed, { start, end, text: put }) => changed.slice(0, start) + put + changed.slice(end),
    text,
  );
}

/** The file has been read and found sound before (`readConnections`): what fails here is no text that we can change. */
export function documentOf(text: string, file: string): Document.Parsed {
  const document = parseDocument(text, { keepSourceTokens: true, uniqueKeys: false, logLevel: 'silent' });
  if (document.errors.length === 0) return document; // parsed just now
  throw cannotEdit(file);
}

/** A form of YAML that a change of text cannot be trusted in. */
export function cannotEdit(file: string): ConfigError {
  const hint =
    'change it by hand; files of the form "name:" with indented keys below it can always be changed';
  return new ConfigError('CONNECTIONS_FILE', `${file} is written in a way that cannot be changed in place`, {
    hint,
  });
}

export function lineBreakOf(text: string): string {
  return /\r\n/.test(text) ? '\r\n' : '\n';
}

/** Offset behind the line break of the line that `offset` is in; the text's end for the last line. */
export function nextLine(text: string, offset: number): number {
  const at = text.indexOf('\n', offset);
  return at < 0 ? text.length : at + 1;
}

export function startOfLine(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** Where a scalar stands. */
export interface Place {
  readonly node: Scalar;
  /** Inside `{…}` or `[…]`, where no block of lines may stand. */
  readonly inFlow: boolean;
}

/** Every scalar of the document. */
export function placesOf(document: Document.Parsed): ReadonlyMap<Scalar, Place> {
  const places = new Map<Scalar, Place>();
  visit(document, {
    Scalar: (_, node, path) => {
      const inFlow = path.some((parent) => isCollection(parent) && parent.flow === true);
      places.set(node, { node, inFlow });
    },
  });
  return places;
}

/** The scalars at these paths of a connection, through anchors and merge keys. */
export function scalarsBelow(
  document: Document.Parsed,
  node: unknown,
  paths: readonly (readonly string[])[],
): Scalar[] {
  const target = isAlias(node) ? node.resolve(document) : node;
  if (!isMap(target)) return [];
  return target.items.flatMap(({ key, value }) => {
    const name = isScalar(key) ? String(key.value) : '';
    if (name === '<<') {
      const merged = isCollection(value) && !isMap(value) ? value.items : [value];
      return merged.flatMap((item) => scalarsBelow(document, item, paths));
    }
    const scalar = isAlias(value) ? value.resolve(document) : value;
    const here = paths.filter(([head]) => head === name);
    const below = here.flatMap(([, ...rest]) => (rest.length === 0 ? [] : [rest]));
    const isMeant = here.some((path) => path.length === 1) && isScalar(scalar);
    return [
      ...(isMeant ? [scalar] : []),
      ...(below.length === 0 ? [] : scalarsBelow(document, value, below)),
    ];
  });
}

interface Span {
  /** The whole value, or the mark `|` or `>` of a block of lines. */
  readonly start: number;
  readonly end: number;
  /** The lines of a block. */
  readonly block?: { readonly start: number; readonly end: number };
}

function spanOf({ srcToken, range }: Scalar): Span {
  if (srcToken?.type === 'block-scalar') {
    // Mark, blanks, comment, line break; then the lines.
    const head = srcToken.props.map((token) => ('source' in token ? token.source : ''));
    const start = srcToken.props[0]?.offset ?? srcToken.offset;
    const blockStart = start + head.join('').length;
    const block = { start: blockStart, end: blockStart + srcToken.source.length };
    return { start, end: start + (head[0]?.length ?? 0), block };
  }
  if (!range) throw new InternalError('YAML_RANGE', 'a value of the file has no place');
  return { start: range[0], end: range[1] };
}

/** Plain where no reader of YAML could take it for anything but text. */
function flowText(text: string): string {
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
  const isWord =
    /^[A-Za-z][\w-]*$/.test(text) && !/^(y|yes|n|no|on|off|true|false|null|nan|inf)$/i.test(text);
  return isUuid || isWord ? text : JSON.stringify(text);
}

/** A value of one line, in place of what stands there. */
export function putText({ node }: Place, value: string): Splice[] {
  const { start, end, block } = spanOf(node);
  const put = { start, end, text: flowText(value) };
  return block ? [put, { ...block, text: '' }] : [put];
}

/** Lines as a block below the key, comments behind the value staying where they are; inside `{…}` as one quoted text. */
export function putLines(text: string, { node, inFlow }: Place, value: string): Splice[] {
  const { start, end, block } = spanOf(node);
  if (inFlow) return [{ start, end, text: JSON.stringify(value) }];
  const eol = lineBreakOf(text);
  const [indent = ''] = /^ */.exec(text.slice(startOfLine(text, start))) ?? [];
  const lines = value
    .trimEnd()
    .split('\n')
    .map((line) => `${indent}  ${line}${eol}`)
    .join('');
  const mark = { start, end, text: '|' };
  if (block) return [mark, { ...block, text: lines }];
  const at = nextLine(text, end);
  const isOpen = text.charAt(at - 1) !== '\n';
  return [mark, { start: at, end: at, text: `${isOpen ? eol : ''}${lines}` }];
}
