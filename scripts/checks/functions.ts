import { Visitor } from 'oxc-parser';
import { lineAt, type SourceFile } from '../source-file.ts';

interface FunctionSize {
  readonly path: string;
  readonly name: string;
  readonly lines: number;
}

interface Spanned {
  readonly start: number;
  readonly end: number;
}

/** Every function of a file with the lines it spans; a nested one counts in its parent too. */
export function functionsOf({ path, text, program }: SourceFile): readonly FunctionSize[] {
  const found: FunctionSize[] = [];
  const add = (node: Spanned, name = `function in line ${lineAt(text, node.start)}`): void => {
    found.push({ path, name, lines: lineAt(text, node.end) - lineAt(text, node.start) + 1 });
  };
  new Visitor({
    FunctionDeclaration: (node) => add(node, node.id?.name),
    FunctionExpression: (node) => add(node),
    ArrowFunctionExpression: (node) => add(node),
  }).visit(program);
  return found;
}
