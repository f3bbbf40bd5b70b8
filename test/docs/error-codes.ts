/** The table of error codes of docs/errors.md, read out of the source: who says which code, and in which words. */
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';

const SOURCE = new URL('../../src/', import.meta.url).pathname;

/** Exit code by class; a refusal is thrown for all, or stands beside the one stand that it is about. */
const EXITS: Readonly<Record<string, string>> = {
  InternalError: '1',
  UsageError: '2',
  ConfigError: '2',
  PlanRefusedError: '3',
  ConnectionError: '4, 5',
  PveError: '4, 5',
  AuthError: '4, 5',
  UnreachableError: '4, 5',
  NodeUnreachableError: '4, 5',
  AnswerLostError: '4, 5',
  TaskError: '4, 5',
  StepError: '5',
  BridgeTakenError: '5',
  ApplyError: '5',
  CancelledError: '130, 143',
};
const REFUSAL = '3, 5';
/** What `connections test` finds is told in its report. */
const FINDING = '4';
const FINDERS = ['lib/workflow/connections.ts', 'lib/workflow/vmmanager-test.ts'];

interface Told {
  readonly exit: string;
  readonly message: string;
}

/** Those of the system (`ENOSPC`) are not ours. */
const isCode = (text: string): boolean =>
  /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(text) && text.length > 3 && !Object.hasOwn(constants.errno, text);

/** As it is written, with … for what is filled in; empty for what is put together elsewhere. */
function textOf(node: ts.Expression | undefined): string {
  if (node === undefined) return '';
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
  if (ts.isConditionalExpression(node)) return textOf(node.whenTrue);
  return '';
}

function property(node: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  const found = node.properties.find(
    (one): one is ts.PropertyAssignment => ts.isPropertyAssignment(one) && one.name.getText() === name,
  );
  return found?.initializer;
}

/** `super('CODE', …)` in a class of ours. */
function isSuperCall(node: ts.Node): node is ts.CallExpression {
  return ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword;
}

function classOf(node: ts.NewExpression | ts.CallExpression): string {
  if (ts.isNewExpression(node)) return node.expression.getText();
  let at: ts.Node = node;
  while (!ts.isClassDeclaration(at) && !ts.isSourceFile(at)) at = at.parent;
  return ts.isClassDeclaration(at) ? (at.name?.text ?? '') : '';
}

function* codesIn(source: ts.SourceFile): Generator<[code: string, told: Told]> {
  const refusal = FINDERS.includes(source.fileName) ? FINDING : REFUSAL;
  const pending: ts.Node[] = [source];
  for (let node = pending.pop(); node; node = pending.pop()) {
    ts.forEachChild(node, (child) => void pending.push(child));
    if (ts.isNewExpression(node) || isSuperCall(node)) {
      const exit = EXITS[classOf(node)];
      const [code, message] = node.arguments ?? [];
      if (exit !== undefined && code && ts.isStringLiteral(code) && isCode(code.text))
        yield [code.text, { exit, message: textOf(message) }];
    } else if (ts.isObjectLiteralExpression(node)) {
      const code = property(node, 'code');
      if (code && ts.isStringLiteral(code) && isCode(code.text))
        yield [code.text, { exit: refusal, message: textOf(property(node, 'message')) }];
    }
  }
}

/** Code → everything that is said with it. */
export function errorCodes(): Map<string, Told[]> {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.includes('simulator'))
    .sort();
  const codes = new Map<string, Told[]>();
  for (const file of files) {
    const text = readFileSync(join(SOURCE, file), 'utf8');
    for (const [code, told] of codesIn(ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true)))
      codes.set(code, [...(codes.get(code) ?? []), told]);
  }
  return codes;
}

const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll(/\s+/g, ' ');

export function errorTable(codes = errorCodes()): string {
  const rows = [...codes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, told]) => {
      const exits = [...new Set(told.map(({ exit }) => exit))].sort().join(', ');
      const messages = [
        ...new Set(
          told.map(({ message }) => message).filter((text) => text.replaceAll('…', '').trim() !== ''),
        ),
      ].sort();
      return `| \`${code}\` | ${[...new Set(exits.split(', '))].join(', ')} | ${messages.slice(0, 3).map(cell).join('<br>')} |`;
    });
  return ['| code | exit code | says, with … for names and numbers |', '|---|---|---|', ...rows].join('\n');
}
