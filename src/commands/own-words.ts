/**
 * The commands in a text, made such that they reach what this command line reaches: planners and renderers know neither its
 * connection nor its files. Whatever is printed passes here once.
 */
import { wrapText, displayWidth } from '../lib/render/layout.ts';
import { shellCommand } from '../lib/shell.ts';

/** Of the options that say where to; `ofFile`: what all commands about connections files take. */
const WHERE = {
  ofCluster: ['--connection', '--simulate', '--simulate-state'],
  ofFile: ['--connections', '--passphrase-file', '--identity'],
} as const;

/** All that reach a cluster. Other words after the program's name are a sentence. */
export const REACHING: ReadonlySet<string> = new Set([
  ...[
    'deploy',
    'cleanup',
    'snapshot',
    'reset',
    'status',
    'check',
    'report',
    'serve',
    'access',
    'extend',
    'power',
  ],
  ...['users', 'bridges', 'connections', 'templates', 'doctor', 'balance'],
]);

interface Given {
  readonly option: string;
  /** Undefined: given without a value. */
  readonly value?: string;
}

function givenOf(argv: readonly string[], long: string, short?: string): Given[] {
  return argv.flatMap((word, at): Given[] => {
    if (word.startsWith(`${long}=`)) return [{ option: long, value: word.slice(long.length + 1) }];
    if (word !== long && word !== short) return [];
    const value = argv[at + 1];
    return [{ option: word, ...(value === undefined || /^-./.test(value) ? {} : { value }) }];
  });
}

const wordsOf = ({ option, value }: Given): string[] => (value === undefined ? [option] : [option, value]);

/** One that stands on its own: between backticks, on a line, or after a colon to the end of the line. */
const COMMAND = /(?<=`|^ *|: )deploy-stand((?: [a-z][^`\s]*)+)([^`\n]*)/gm;

/** In place of a file that a hint cannot know: the one that was given. */
function withFiles(options: string, argv: readonly string[]): string {
  const lab = givenOf(argv, '--config', '-c').filter(({ value }) => value !== undefined && value !== '-');
  const users = givenOf(argv, '--users', '-u').filter(({ value }) => value !== undefined && value !== '-');
  const say = (given: readonly Given[], placeholder: string): string =>
    given.length === 0 ? placeholder : shellCommand(...given.flatMap(wordsOf));
  return options
    .replace(/(?<= )-c lab\.yml(?= |$)/, (placeholder) => say(lab, placeholder))
    .replace(/(?<= )-u users\.yml(?= |$)/, (placeholder) => say(users, placeholder));
}

function reaching(path: string, options: string, argv: readonly string[]): string {
  const [command = ''] = path.trim().split(' ');
  const names = command === 'connections' ? WHERE.ofFile : [...WHERE.ofCluster, ...WHERE.ofFile];
  const has = (name: string): boolean => ` ${options} `.replaceAll('=', ' ').includes(` ${name} `);
  const where = names.flatMap((name) => (has(name) ? [] : givenOf(argv, name))).flatMap(wordsOf);
  const added = where.length === 0 ? '' : ` ${shellCommand(...where)}`;
  return `deploy-stand${path}${added}${withFiles(options, argv)}`;
}

export function ownWords(text: string, argv: readonly string[]): string {
  if (!text.includes('deploy-stand ')) return text;
  return text.replace(COMMAND, (whole, path: string, options: string) =>
    REACHING.has(path.trim().split(' ')[0] ?? '') && !options.startsWith(' --help')
      ? reaching(path, options, argv)
      : whole,
  );
}

/** Laid out already: a line that grew is folded as it would have been. */
export function ownLines(text: string, argv: readonly string[], width: number): string {
  const said = text.split('\n').flatMap((line) => {
    const longer = ownWords(line, argv);
    if (longer === line || displayWidth(longer) <= width) return [longer];
    const indent = /^ */.exec(line)?.[0] ?? '';
    return wrapText(longer.slice(indent.length), width - indent.length).map((part) => indent + part);
  });
  return said.join('\n');
}

/** All sentences of a document. */
export function ownDocument<T>(value: T, argv: readonly string[]): T {
  const visit = (one: unknown, key: string): unknown => {
    if (typeof one === 'string') return key === 'kind' ? one : ownWords(one, argv);
    if (Array.isArray(one)) return one.map((each) => visit(each, key));
    if (one === null || typeof one !== 'object') return one;
    return Object.fromEntries(Object.entries(one).map(([name, each]) => [name, visit(each, name)]));
  };
  return visit(value, '') as T;
}
