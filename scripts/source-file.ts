import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseSync, type Program } from 'oxc-parser';
import { root } from './tree.ts';

/** A parsed TypeScript file of the checkout. */
export interface SourceFile {
  /** Relative to the checkout, '/'-separated. */
  readonly path: string;
  readonly text: string;
  readonly program: Program;
  /** Modules named by import, export … from and import(): files relative to the checkout, packages by name. */
  readonly imports: readonly string[];
}

export function parseFile(path: string): SourceFile {
  return parseText(path, readFileSync(join(root, path), 'utf8'));
}

export function parseText(path: string, text: string): SourceFile {
  const { program, module, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message ?? 'does not parse'}`);
  const named = [
    ...module.staticImports.map((entry) => entry.moduleRequest.value),
    ...module.staticExports.flatMap((entry) => entry.entries.flatMap((part) => part.moduleRequest?.value ?? [])),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) => text.slice(start + 1, end - 1)),
  ];
  return { path, text, program, imports: named.map((name) => resolved(path, name)) };
}

function resolved(from: string, name: string): string {
  return name.startsWith('.') ? normalize(join(dirname(from), name)) : name;
}

/** The 1-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
