/** Whoever calls the library can name every type that its functions take and give. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const INDEX = 'src/index.ts';
const sources = new Map<string, ts.SourceFile>();

function parse(file: string): ts.SourceFile {
  const known = sources.get(file);
  if (known) return known;
  const parsed = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023, true);
  sources.set(file, parsed);
  return parsed;
}

const pathOf = (from: string, specifier: ts.Expression): string | undefined => {
  const text = (specifier as ts.StringLiteral).text;
  return text.startsWith('.') ? join(dirname(from), text) : undefined;
};

type Declaration = ts.DeclarationStatement | ts.VariableStatement;

function namesOf(node: ts.Statement): string[] {
  if (ts.isVariableStatement(node))
    return node.declarationList.declarations.map(({ name }) => name.getText());
  const isNamed =
    ts.isFunctionDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isClassDeclaration(node);
  return isNamed && node.name ? [node.name.text] : [];
}

const declarations = new Map<string, ReadonlyMap<string, Declaration>>();

/** Name → where the file declares it. */
function declaredIn(file: string): ReadonlyMap<string, Declaration> {
  const known = declarations.get(file);
  if (known) return known;
  const found = new Map(
    parse(file).statements.flatMap((node) =>
      namesOf(node).map((name) => [name, node as Declaration] as const),
    ),
  );
  declarations.set(file, found);
  return found;
}

const isExported = (node: ts.Statement): boolean =>
  ts.canHaveModifiers(node) &&
  (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);

/** `file name` of all that the index exports. */
function exported(): Set<string> {
  const found = new Set<string>();
  for (const node of parse(INDEX).statements) {
    if (!ts.isExportDeclaration(node) || !node.moduleSpecifier) continue;
    const file = pathOf(INDEX, node.moduleSpecifier) ?? '';
    const names =
      node.exportClause && ts.isNamedExports(node.exportClause)
        ? node.exportClause.elements.map(({ name, propertyName }) => (propertyName ?? name).text)
        : parse(file).statements.filter(isExported).flatMap(namesOf);
    for (const name of names) found.add(`${file} ${name}`);
  }
  return found;
}

/** Where the name is declared: in the file, or where the file has it from. */
function resolve(file: string, name: string): string | undefined {
  if (declaredIn(file).has(name)) return `${file} ${name}`;
  for (const node of parse(file).statements) {
    if (ts.isImportDeclaration(node)) {
      const bindings = node.importClause?.namedBindings;
      const one =
        bindings && ts.isNamedImports(bindings)
          ? bindings.elements.find((element) => element.name.text === name)
          : undefined;
      const from = one && pathOf(file, node.moduleSpecifier);
      if (one && from) return resolve(from, (one.propertyName ?? one.name).text);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && node.exportClause) {
      const one = ts.isNamedExports(node.exportClause)
        ? node.exportClause.elements.find((element) => element.name.text === name)
        : undefined;
      const from = one && pathOf(file, node.moduleSpecifier);
      if (one && from) return resolve(from, (one.propertyName ?? one.name).text);
    }
  }
  return undefined;
}

/** Names of types in what others see of a declaration: no bodies, nothing private. */
function typesIn(node: ts.Node): string[] {
  if (ts.isBlock(node) || ts.isPrivateIdentifier(node)) return [];
  if (ts.isPropertyDeclaration(node) && ts.isPrivateIdentifier(node.name)) return [];
  if (ts.isMethodDeclaration(node) && ts.isPrivateIdentifier(node.name)) return [];
  const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
  if (modifiers.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)) return [];
  if (ts.isVariableDeclaration(node)) return node.type ? typesIn(node.type) : [];
  const own =
    ts.isTypeReferenceNode(node) && ts.isIdentifier(node.typeName)
      ? [node.typeName.text]
      : ts.isExpressionWithTypeArguments(node) && ts.isIdentifier(node.expression)
        ? [node.expression.text]
        : [];
  const below: string[] = [];
  ts.forEachChild(node, (child) => void below.push(...typesIn(child)));
  return [...own, ...below];
}

function declarationOf(key: string): Declaration | undefined {
  const [file = '', name = ''] = key.split(' ');
  return declaredIn(file).get(name);
}

test('every type that is needed is exported', () => {
  const all = exported();
  const missing = [...all].flatMap((key) => {
    const [file = ''] = key.split(' ');
    const node = declarationOf(key);
    const needed = node ? typesIn(node).flatMap((name) => resolve(file, name) ?? []) : [];
    return needed.filter((type) => !all.has(type)).map((type) => `${type} (${key})`);
  });
  expect(all.size).toBeGreaterThan(100);
  expect([...new Set(missing)]).toEqual([]);
});

/** Declared without a result, or with one that has no name: `{ … }`, `typeof`. */
function isNameless(type: ts.TypeNode | undefined): boolean {
  if (!type || ts.isTypeLiteralNode(type) || ts.isTypeQueryNode(type)) return true;
  let isFound = false;
  ts.forEachChild(type, (child) => {
    isFound ||= ts.isTypeNode(child) && isNameless(child);
  });
  return isFound;
}

function namelessResults(node: ts.Node, key: string): string[] {
  if (ts.isBlock(node)) return [];
  const isCall = ts.isFunctionDeclaration(node) || ts.isMethodSignature(node) || ts.isMethodDeclaration(node);
  const own = isCall && isNameless(node.type) ? [`${key} ${node.name?.getText() ?? ''}`] : [];
  const below: string[] = [];
  ts.forEachChild(node, (child) => void below.push(...namelessResults(child, key)));
  return [...own, ...below];
}

/** What PVE answers is said where the endpoint is. */
const ROWS_OF_PVE = 'src/lib/proxmox/';

test('what a call gives has a name', () => {
  const nameless = [...exported()].flatMap((key) => {
    const node = key.startsWith(ROWS_OF_PVE) ? undefined : declarationOf(key);
    return node ? namelessResults(node, key) : [];
  });
  expect(nameless).toEqual([]);
});
