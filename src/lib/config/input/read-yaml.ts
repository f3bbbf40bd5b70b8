/** YAML text → plain values with their places in the file. Knows limits against hostile files, but no schema. */
import { Composer, LineCounter, Lexer, Parser, isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { CST, Document, ParsedNode, YAMLError, YAMLMap, YAMLSeq, Pair, Node } from 'yaml';
import type { ConfigIssue } from '../../errors.ts';
import { formatPath, type Path, type Position, type Source } from './issues.ts';
import { configError } from './issues.ts';

/** Enough for thousands of users; more would let a small file cost seconds. */
const MAX_LEXEMES = 200_000;
const MAX_VALUES = 100_000;
const MAX_DEPTH = 100;

export interface YamlOptions {
  /** Under these keys `007`, `1.10` and `yes` are text, as written. */
  readonly textKeys: ReadonlySet<string>;
  /** A list at the top is read as if it stood under this key. */
  readonly wrapListAs?: string;
}

export interface YamlFile extends Source {
  readonly value: unknown;
}

/** Own words: the parser's may quote the file, and a connections file holds secrets. */
const SYNTAX: Readonly<Partial<Record<YAMLError['code'], readonly [message: string, hint?: string]>>> = {
  TAB_AS_INDENT: ['a tab is used for indentation', 'replace tabs by spaces; YAML allows only spaces there'],
  BAD_INDENT: [
    'the indentation does not fit the lines above',
    'entries of one list or mapping start in one column; is a bracket above still open?',
  ],
  BAD_SCALAR_START: ['this value starts with a character that YAML reserves', 'put the value in quotes'],
  BAD_ALIAS: ['a "*" at the start of a value is YAML syntax', 'put the value in quotes: "**name**"'],
  BAD_DQ_ESCAPE: ['a backslash in double quotes starts an unknown escape', "use single quotes: 'like this'"],
  MISSING_CHAR: [
    'a quote, bracket, comma or colon is missing here',
    'look for wrong indentation, or an unclosed quote or bracket above',
  ],
  BLOCK_AS_IMPLICIT_KEY: [
    'two "key: value" pairs on one line',
    'put the value in quotes, or on a line of its own',
  ],
  MULTILINE_IMPLICIT_KEY: ['a key runs over several lines', 'is a ":" missing, or the indentation wrong?'],
  UNEXPECTED_TOKEN: ['this character is not expected here', 'is a quote, comma or line break missing?'],
  TAG_RESOLVE_FAILED: ['YAML tags (!…) are not supported', 'remove the tag, or put the value in quotes'],
};

function at(counter: LineCounter, offset: number): Position {
  const { line, col } = counter.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function fileIssue(file: string, message: string, hint?: string, position?: Position): ConfigIssue {
  return { file, ...position, path: '', message, ...(hint === undefined ? {} : { hint }) };
}

function tokensOf(text: string, file: string, counter: LineCounter): CST.Token[] {
  counter.addNewLine(0);
  const parser = new Parser(counter.addNewLine);
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    offset += lexeme.length;
    // The composer recurses: depth is bounded before it runs.
    if (parser.stack.length > 2 * MAX_DEPTH) {
      const position = at(counter, Math.min(offset, text.length - 1));
      throw configError([
        fileIssue(file, 'the file is nested too deeply', 'is this the right file?', position),
      ]);
    }
    if (++lexemes > MAX_LEXEMES) {
      throw configError([fileIssue(file, 'the file has too many entries', 'is this the right file?')]);
    }
  }
  tokens.push(...parser.end());
  return tokens;
}

function syntaxIssue(
  file: string,
  counter: LineCounter,
  problems: readonly YAMLError[],
): ConfigIssue | undefined {
  const [first] = [...problems].sort((a, b) => a.pos[0] - b.pos[0]);
  if (!first) return undefined;
  const [message, hint] = SYNTAX[first.code] ?? [`this is not valid YAML (${first.code})`];
  return fileIssue(file, message, hint, at(counter, first.pos[0]));
}

function compose(text: string, file: string, counter: LineCounter): Document.Parsed | undefined {
  const tokens = tokensOf(text, file, counter);
  // Duplicate keys are looked for below: the library's own search takes quadratic time.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
  const documents = [...composer.compose(tokens, true, text.length)];
  const problem = syntaxIssue(
    file,
    counter,
    documents.flatMap((document) => [...document.errors, ...document.warnings]),
  );
  if (problem) throw configError([problem]);
  const filled = documents.filter((document) => document.contents !== null && !isBlank(document.contents));
  const [first, second] = filled;
  if (second) {
    const hint = 'keep one document per file: remove the "---" line and what follows';
    const position = at(counter, second.range[0]);
    throw configError([fileIssue(file, `the file holds ${filled.length} YAML documents`, hint, position)]);
  }
  return first;
}

function isBlank(node: ParsedNode): boolean {
  return isScalar(node) && node.value === null && node.source === '';
}

interface Place {
  readonly key?: number;
  readonly value: number;
}

/** Turns nodes into plain values; remembers places by path. */
class Reader {
  readonly places = new Map<string, Place>();
  readonly issues: ConfigIssue[] = [];
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #values = 0;
  readonly #file: string;
  readonly #counter: LineCounter;
  readonly #textKeys: ReadonlySet<string>;

  constructor(file: string, counter: LineCounter, textKeys: ReadonlySet<string>) {
    this.#file = file;
    this.#counter = counter;
    this.#textKeys = textKeys;
  }

  read(node: Node | null, path: Path, isText: boolean, place: Place): unknown {
    this.places.set(formatPath(path), place);
    if (node === null) return null;
    if (++this.#values > MAX_VALUES) {
      const hint = 'anchors and aliases (& and *) must not multiply that far';
      throw configError([fileIssue(this.#file, `the file expands to more than ${MAX_VALUES} values`, hint)]);
    }
    if (isAlias(node)) return this.#readAlias(node, path, isText, place);
    // An alias may be read again while its anchor's own node is still open only if it contains itself.
    if (isMap(node) || isSeq(node)) this.#enter(node, place);
    this.#remember(node);
    if (isMap(node)) {
      const value = this.#readMap(node, path);
      this.#open.delete(node);
      return value;
    }
    if (isSeq(node)) {
      const value = this.#readSeq(node, path, isText);
      this.#open.delete(node);
      return value;
    }
    return isScalar(node) ? plainScalar(node.value, node.source, node.type, isText) : null;
  }

  #enter(node: Node, place: Place): void {
    if (this.#open.has(node) || this.#open.size >= MAX_DEPTH) {
      const position = at(this.#counter, place.value);
      throw configError([fileIssue(this.#file, 'an alias (*) contains itself', 'remove it', position)]);
    }
    this.#open.add(node);
  }

  #remember(node: Node): void {
    if ('anchor' in node) this.#anchors.set(node.anchor, node);
  }

  #readAlias(node: { source: string }, path: Path, isText: boolean, place: Place): unknown {
    const target = this.#anchors.get(node.source);
    if (target) return this.read(target, path, isText, place);
    const [message, hint] = SYNTAX.BAD_ALIAS ?? [''];
    this.issues.push({
      ...fileIssue(this.#file, message, hint, at(this.#counter, place.value)),
      path: formatPath(path),
    });
    return null;
  }

  #readSeq(node: YAMLSeq, path: Path, isText: boolean): unknown[] {
    return node.items.map((item, index) => {
      const child = item as Node | null; // a parsed sequence holds nodes only
      return this.read(child, [...path, index], isText, { value: startOf(child) ?? startOf(node) ?? 0 });
    });
  }

  #readMap(node: YAMLMap, path: Path): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    const merges: Record<string, unknown>[] = [];
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const key = this.#keyOf(pair, path, result);
      if (key === undefined) continue;
      const keyAt = startOf(pair.key) ?? 0;
      const childPath = [...path, key];
      const place = { key: keyAt, value: startOf(pair.value) ?? keyAt };
      const value = this.read(pair.value, childPath, this.#textKeys.has(key), place);
      if (key === '<<' && pair.value && (isAlias(pair.value) || isSeq(pair.value))) {
        merges.push(...(Array.isArray(value) ? value : [value]).filter(isRecord));
      } else result[key] = value;
    }
    for (const merge of merges) this.#merge(merge, result);
    return result;
  }

  /** YAML 1.1's merge key, which PyYAML reads too: what is written here wins. */
  #merge(from: Record<string, unknown>, into: Record<string, unknown>): void {
    for (const [key, value] of Object.entries(from)) if (!Object.hasOwn(into, key)) into[key] = value;
  }

  #keyOf(pair: Pair<Node, Node | null>, path: Path, seen: Record<string, unknown>): string | undefined {
    const offset = startOf(pair.key) ?? 0;
    const report = (message: string, hint: string, where: Path): void => {
      const issue = fileIssue(this.#file, message, hint, at(this.#counter, offset));
      this.issues.push({ ...issue, path: formatPath(where) });
    };
    const scalar = isScalar(pair.key) ? pair.key : undefined;
    const key = scalar === undefined ? undefined : (scalar.source ?? String(scalar.value));
    if (key === undefined) {
      report('a key must be plain text', 'put the key in quotes', path);
      return undefined;
    }
    if (key === '__proto__') {
      report('"__proto__" is not allowed as a key', 'remove it', path);
      return undefined;
    }
    if (Object.hasOwn(seen, key)) {
      const first = this.places.get(formatPath([...path, key]))?.key ?? 0;
      const { line } = at(this.#counter, first);
      report(`the key is given twice (first on line ${line})`, 'remove one of them', [...path, key]);
      return undefined;
    }
    return key;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function startOf(node: Node | null): number | undefined {
  return node?.range?.[0];
}

/** `isText`: numbers and words like `yes` are wanted as written; an empty value stays empty. */
function plainScalar(
  value: unknown,
  source: string | undefined,
  type: string | undefined,
  isText: boolean,
): unknown {
  const isEmpty = value === null && (source ?? '') === '';
  if (isText && type === 'PLAIN' && !isEmpty && source !== undefined) return source;
  const isPlain = value === null || ['string', 'number', 'boolean'].includes(typeof value);
  return isPlain ? value : (source ?? null);
}

/** Throws a ConfigError with all problems of form. */
export function readYaml(text: string, file: string, options: YamlOptions): YamlFile {
  const counter = new LineCounter();
  const document = compose(text, file, counter);
  if (!document) throw configError([fileIssue(file, 'the file is empty')]);

  const reader = new Reader(file, counter, options.textKeys);
  const root = document.contents;
  const wrap = isSeq(root) ? options.wrapListAs : undefined;
  const start = { value: startOf(root) ?? 0 };
  const inner = reader.read(root, wrap === undefined ? [] : [wrap], wrap !== undefined, start);
  if (reader.issues.length > 0) throw configError(reader.issues);

  return {
    file,
    value: wrap === undefined ? inner : { [wrap]: inner },
    locate: (path, part) => {
      for (let length = path.length; length >= 0; length--) {
        const place = reader.places.get(formatPath(path.slice(0, length)));
        if (!place) continue;
        const useKey = part === 'key' || length < path.length;
        return at(counter, useKey ? (place.key ?? place.value) : place.value);
      }
      return undefined;
    },
  };
}
