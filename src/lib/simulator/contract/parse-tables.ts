/** Reads the contract tables into lookup structures for one version. Must not validate requests itself. */
import type { Version } from '../version.ts';

export interface ParamSpec {
  readonly name: string;
  readonly type: 'str' | 'int' | 'num' | 'bool' | 'array';
  readonly optional: boolean;
  readonly format: string | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly minLength: number | undefined;
  readonly maxLength: number | undefined;
  readonly choices: readonly string[] | undefined;
  readonly pattern: string | undefined;
  readonly regexp: RegExp | undefined;
  readonly requires: string | undefined;
  readonly alias: string | undefined;
  readonly keyAlias: string | undefined;
  readonly defaultKey: boolean;
}

/** `all`: any authenticated user; `world`: also anonymous; `root`: root@pam alone; else PVE's check expression. */
export type Permission = 'all' | 'world' | 'root' | PermissionCheck;
export type PermissionCheck = readonly unknown[];

export interface EndpointSpec {
  readonly method: string;
  readonly path: string;
  readonly protected: boolean;
  readonly onNode: boolean;
  /** It begins a worker task, and answers with its UPID. */
  readonly task: boolean;
  readonly permission: Permission;
  readonly params: ReadonlyMap<string, ParamSpec>;
}

interface Section {
  readonly kind: 'block' | 'format' | 'endpoint';
  readonly name: string;
  readonly versions: string | undefined;
  readonly lines: string[];
}

const versioned = /^(?:\[(\d+)\] )?(.*)$/;

function sections(text: string): Section[] {
  const found: Section[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (line.startsWith('  ')) {
      found.at(-1)?.lines.push(line.slice(2));
      continue;
    }
    const match = /^(block |format )?(.*?)(?: \[(\d+)\])?$/.exec(line);
    const kind = match?.[1] === 'block ' ? 'block' : match?.[1] === 'format ' ? 'format' : 'endpoint';
    found.push({ kind, name: match?.[2] ?? '', versions: match?.[3], lines: [] });
  }
  return found;
}

function applies(versions: string | undefined, version: Version): boolean {
  return versions === undefined || versions.includes(version.slice(0, 1));
}

function bounds(text: string | undefined): [number | undefined, number | undefined] {
  if (text === undefined) return [undefined, undefined];
  const [low, high] = text.split('..');
  return [low ? Number(low) : undefined, high ? Number(high) : undefined];
}

/** `scsi[0-30]` stands for scsi0 … scsi30. */
function expandChoices(text: string): string[] {
  return text.split('|').flatMap((choice) => {
    const range = /^(\w+)\[(\d+)-(\d+)\]$/.exec(choice);
    if (!range) return [choice];
    const [, name = '', from = '0', to = '0'] = range;
    return Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => `${name}${Number(from) + i}`);
  });
}

/** Perl patterns to JavaScript: `{,16}` has no lower bound there, and `\w` (in classes only, here) has all letters. */
function toRegExp(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern.replaceAll('{,', '{0,').replaceAll('\\w', '\\w\\u0080-\\uFFFF')})$`);
}

function parseParam(line: string): ParamSpec {
  const match = /^(\S+?)([!?]) (str|int|num|bool|array)(?::(\S+))?(.*)$/.exec(line);
  if (!match) throw new Error(`contract table: cannot read "${line}"`);
  const [, name = '', mark, type, format, rest = ''] = match;
  const patternAt = rest.indexOf(' pattern=');
  const pattern = patternAt < 0 ? undefined : rest.slice(patternAt + ' pattern='.length);
  const words = (patternAt < 0 ? rest : rest.slice(0, patternAt)).split(' ').filter((word) => word !== '');
  const attribute = (key: string): string | undefined =>
    words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
  const [min, max] = bounds(attribute('range'));
  const [minLength, maxLength] = bounds(attribute('len'));
  const choices = attribute('enum');
  return {
    name,
    // The expression above admits these five only.
    type: type as ParamSpec['type'],
    optional: mark === '?',
    format,
    min,
    max,
    minLength,
    maxLength,
    choices: choices === undefined ? undefined : expandChoices(choices),
    pattern,
    regexp: pattern === undefined ? undefined : toRegExp(pattern),
    requires: attribute('requires'),
    alias: attribute('alias'),
    keyAlias: attribute('keyAlias'),
    defaultKey: words.includes('default_key'),
  };
}

type Blocks = ReadonlyMap<string, readonly string[]>;

function expandUses(lines: readonly string[], blocks: Blocks): string[] {
  return lines.flatMap((line) => {
    if (!line.startsWith('use: ')) return [line];
    const block = blocks.get(line.slice(5));
    if (!block) throw new Error(`contract table: unknown block "${line}"`);
    return block;
  });
}

function linesFor(section: Section, blocks: Blocks, version: Version): string[] {
  return expandUses(section.lines, blocks).flatMap((line) => {
    const [, tag, text = ''] = versioned.exec(line) ?? [];
    return applies(tag, version) ? [text] : [];
  });
}

function toParams(lines: readonly string[]): Map<string, ParamSpec> {
  return new Map(
    lines
      .filter((line) => !/^(flags|may): /.test(line))
      .map(parseParam)
      .map((spec) => [spec.name, spec]),
  );
}

function parsePermission(text: string): Permission {
  if (text === 'user=all') return 'all';
  if (text === 'user=world') return 'world';
  if (text === 'root') return 'root';
  return JSON.parse(text) as PermissionCheck;
}

export interface Contract {
  readonly endpoints: ReadonlyMap<string, EndpointSpec>;
  readonly formats: ReadonlyMap<string, ReadonlyMap<string, ParamSpec>>;
}

export function parseTables(texts: readonly string[], version: Version): Contract {
  const all = texts.flatMap(sections);
  const blocks = new Map(all.filter((s) => s.kind === 'block').map((s) => [s.name, s.lines]));
  const endpoints = new Map<string, EndpointSpec>();
  const formats = new Map<string, ReadonlyMap<string, ParamSpec>>();
  for (const section of all) {
    if (section.kind === 'block' || !applies(section.versions, version)) continue;
    const lines = linesFor(section, blocks, version);
    if (section.kind === 'format') {
      formats.set(section.name, toParams(lines));
      continue;
    }
    const [method = '', path = ''] = section.name.split(' ');
    const value = (key: string): string =>
      lines.find((l) => l.startsWith(`${key}: `))?.slice(key.length + 2) ?? '';
    const flags = value('flags').split(' ');
    endpoints.set(section.name, {
      method,
      path,
      protected: flags.includes('protected'),
      onNode: flags.includes('on-node'),
      task: flags.includes('task'),
      permission: parsePermission(value('may')),
      params: toParams(lines),
    });
  }
  return { endpoints, formats };
}
