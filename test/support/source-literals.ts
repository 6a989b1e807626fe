import { join, relative, resolve } from 'node:path';
import {
  isBinaryExpression,
  isExportDeclaration,
  isImportDeclaration,
  isNoSubstitutionTemplateLiteral,
  isStringLiteral,
  isTemplateExpression,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

/** A text that a file of source code contains. */
export interface SourceLiteral {
  /** From the root, as `src/lib/pause.ts`. */
  readonly file: string;
  /** Of its first character. */
  readonly line: number;
  /** Each value that is filled in is a `…`. */
  readonly text: string;
}

/** Returns the strings and templates in the files below a folder of this repository; those that `+` joins are one text. */
export function literalsBelow(folder: string): readonly SourceLiteral[] {
  const root = resolve('.');
  const api = new API({ cwd: root });
  try {
    using snapshot = api.updateSnapshot({ openProjects: [join(root, 'tsconfig.json')] });
    const program = snapshot.getProject(join(root, 'tsconfig.json'))?.program;
    const files = program?.getSourceFileNames().filter((file) => file.startsWith(join(root, folder, '/')));
    return (files ?? []).flatMap((file) => {
      const source = program?.getSourceFile(file);
      return source === undefined ? [] : literalsOf(relative(root, file), source.text, source);
    });
  } finally {
    api.close();
  }
}

function literalsOf(file: string, source: string, tree: Node): readonly SourceLiteral[] {
  const found: SourceLiteral[] = [];
  const visit = (node: Node): undefined => {
    if (isImportDeclaration(node) || isExportDeclaration(node)) return undefined;
    const text = textOf(node);
    if (text !== undefined) found.push({ file, line: lineAt(source, node.end - node.getWidth()), text });
    // What is filled in can have texts of its own. The parts of a sum are in its text.
    if (text === undefined || isTemplateExpression(node)) node.forEachChild(visit);
    return undefined;
  };
  visit(tree);
  return found;
}

function lineAt(source: string, position: number): number {
  return source.slice(0, position).split('\n').length;
}

/** Returns the text of a string, of a template, or of several that `+` joins; undefined of any other node. */
function textOf(node: Node): string | undefined {
  if (isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (isTemplateExpression(node)) {
    return node.head.text + [...node.templateSpans].map(({ literal }) => `…${literal.text}`).join('');
  }
  if (!isBinaryExpression(node) || node.operatorToken.kind !== SyntaxKind.PlusToken) return undefined;
  const [left, right] = [textOf(node.left), textOf(node.right)];
  return left === undefined || right === undefined ? undefined : left + right;
}
