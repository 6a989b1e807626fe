import { join, normalize, relative, resolve } from 'node:path';
import {
  isCallExpression,
  isClassDeclaration,
  isEnumDeclaration,
  isExportAssignment,
  isExportDeclaration,
  isFunctionDeclaration,
  isIdentifier,
  isImportDeclaration,
  isImportTypeNode,
  isInterfaceDeclaration,
  isLiteralTypeNode,
  isNamedExports,
  isNamedImports,
  isNoSubstitutionTemplateLiteral,
  isObjectBindingPattern,
  isStringLiteral,
  isTypeAliasDeclaration,
  isVariableDeclaration,
  isVariableStatement,
  type ModifierLike,
  type Node,
  type Statement,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

/** An import as it is written, wherever it stands in a file. */
export interface Import {
  /** `./size.ts`, `node:fs`, `@actions/core` … */
  readonly specifier: string;
  /** The file it leads to, by its path from the root; undefined for packages and modules of Node. */
  readonly target: string | undefined;
  /** By the names that the other file exports; `everything` for a namespace, and where that cannot be read. */
  readonly names: readonly string[] | 'everything';
}

/** A file of TypeScript, read for what the rules of the house are about. */
export interface Module {
  /** From the root, as `src/lib/pause.ts`. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** Names, `default` among them. */
  readonly exports: readonly string[];
  /** Whether it decides anything while it runs. */
  readonly branches: boolean;
  /** Texts in it, for the paths of programs that a test runs. */
  readonly strings: readonly string[];
}

/**
 * What counts as branching logic: statements and expressions of which a part may not be run, or more than once. A type
 * that depends on a condition is none, nor is `?.`, which only hands on that something is missing.
 */
const BRANCHES: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.IfStatement,
  SyntaxKind.SwitchStatement,
  SyntaxKind.ConditionalExpression,
  SyntaxKind.ForStatement,
  SyntaxKind.ForInStatement,
  SyntaxKind.ForOfStatement,
  SyntaxKind.WhileStatement,
  SyntaxKind.DoStatement,
  SyntaxKind.CatchClause,
  SyntaxKind.AmpersandAmpersandToken,
  SyntaxKind.BarBarToken,
  SyntaxKind.QuestionQuestionToken,
  SyntaxKind.AmpersandAmpersandEqualsToken,
  SyntaxKind.BarBarEqualsToken,
  SyntaxKind.QuestionQuestionEqualsToken,
]);

/** Reads the files of a project, all of which lie below the folder of its `tsconfig.json`. */
export function readModules(root: string): readonly Module[] {
  const folder = resolve(root);
  const api = new API({ cwd: folder });
  try {
    using snapshot = api.updateSnapshot({ openProjects: [join(folder, 'tsconfig.json')] });
    const { program } = snapshot.getProject(join(folder, 'tsconfig.json')) ?? missing('the project');
    return program
      .getSourceFileNames()
      .filter((file) => file.startsWith(`${folder}/`) && !file.includes('/node_modules/'))
      .map((file) => {
        const source = program.getSourceFile(file) ?? missing(file);
        return readModule(relative(folder, file), source.text, source.statements, source);
      });
  } finally {
    api.close();
  }
}

function missing(what: string): never {
  throw new Error(`the compiler does not have ${what}`);
}

function readModule(path: string, text: string, statements: Iterable<Statement>, file: Node): Module {
  const strings: string[] = [];
  const imports: Import[] = [];
  let branches = false;
  const visit = (node: Node): undefined => {
    if (BRANCHES.has(node.kind)) branches = true;
    if (isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node)) strings.push(node.text);
    const imported = importedBy(node);
    if (imported !== undefined && isStringLiteral(imported.from)) {
      const specifier = imported.from.text;
      const target = specifier.startsWith('.') ? normalize(join(path, '..', specifier)) : undefined;
      imports.push({ specifier, target, names: imported.names });
    }
    node.forEachChild(visit);
    return undefined;
  };
  visit(file);
  const lines = text.split('\n').length - 1;
  return { path, lines, imports, exports: [...statements].flatMap(exportedBy), branches, strings };
}

function importedBy(node: Node): { readonly from: Node; readonly names: Import['names'] } | undefined {
  if (isImportDeclaration(node)) {
    return { from: node.moduleSpecifier, names: namesOf(node.importClause) };
  }
  if (isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return { from: node.moduleSpecifier, names: handedOn(node.exportClause) };
  }
  if (isImportTypeNode(node) && isLiteralTypeNode(node.argument)) {
    return { from: node.argument.literal, names: 'everything' };
  }
  if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) {
    const [from] = node.arguments;
    return from === undefined ? undefined : { from, names: takenFrom(node) };
  }
  return undefined;
}

type Clause = { readonly name?: unknown; readonly namedBindings?: Node } | undefined;

function namesOf(clause: Clause): Import['names'] {
  const { name, namedBindings } = clause ?? {};
  const own = name === undefined ? [] : ['default'];
  if (namedBindings === undefined) return own;
  if (!isNamedImports(namedBindings)) return 'everything';
  return [...own, ...[...namedBindings.elements].map((each) => (each.propertyName ?? each.name).text)];
}

function handedOn(clause: Node | undefined): Import['names'] {
  if (clause === undefined || !isNamedExports(clause)) return 'everything';
  return [...clause.elements].map((each) => (each.propertyName ?? each.name).text);
}

/** Returns the names that `const { a, b: c } = await import('…')` takes. */
function takenFrom(call: Node): Import['names'] {
  const awaited = call.parent;
  const declaration = awaited.kind === SyntaxKind.AwaitExpression ? awaited.parent : awaited;
  if (!isVariableDeclaration(declaration) || !isObjectBindingPattern(declaration.name)) return 'everything';
  const names = [...declaration.name.elements].map((each) => each.propertyName ?? each.name);
  return names.every((name) => name !== undefined && isIdentifier(name))
    ? names.flatMap((name) => (name !== undefined && isIdentifier(name) ? [name.text] : []))
    : 'everything';
}

function exportedBy(statement: Statement): readonly string[] {
  if (isExportAssignment(statement)) return ['default'];
  if (isExportDeclaration(statement)) {
    const { exportClause } = statement;
    if (exportClause === undefined) return ['*'];
    return isNamedExports(exportClause)
      ? [...exportClause.elements].map(({ name }) => name.text)
      : [exportClause.name.text];
  }
  if (isVariableStatement(statement)) {
    if (!has(SyntaxKind.ExportKeyword, statement.modifiers)) return [];
    return [...statement.declarationList.declarations].flatMap(({ name }) =>
      isIdentifier(name) ? [name.text] : [],
    );
  }
  if (
    isFunctionDeclaration(statement) ||
    isClassDeclaration(statement) ||
    isInterfaceDeclaration(statement) ||
    isTypeAliasDeclaration(statement) ||
    isEnumDeclaration(statement)
  ) {
    if (!has(SyntaxKind.ExportKeyword, statement.modifiers)) return [];
    if (has(SyntaxKind.DefaultKeyword, statement.modifiers)) return ['default'];
    return statement.name === undefined ? [] : [statement.name.text];
  }
  return [];
}

function has(keyword: SyntaxKind, modifiers: Iterable<ModifierLike> | undefined): boolean {
  return [...(modifiers ?? [])].some(({ kind }) => kind === keyword);
}
