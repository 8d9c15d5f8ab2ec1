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
  /** Those that are loaded when this file is: not the ones of types alone. */
  readonly loads: readonly string[];
}

export function parseFile(path: string): SourceFile {
  return parseText(path, readFileSync(join(root, path), 'utf8'));
}

export function parseText(path: string, text: string): SourceFile {
  const { program, module, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message ?? 'does not parse'}`);
  const requests = [
    ...module.staticImports.map(({ moduleRequest, entries }) => ({
      name: moduleRequest.value,
      loads: !onlyTypes(entries),
    })),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest, isType }) =>
        moduleRequest ? { name: moduleRequest.value, loads: !isType } : [],
      ),
    ),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) => ({
      name: text.slice(start + 1, end - 1),
      loads: false,
    })),
  ].map((request) => ({ ...request, name: resolved(path, request.name) }));
  return {
    path,
    text,
    program,
    imports: requests.map(({ name }) => name),
    loads: requests.filter(({ loads }) => loads).map(({ name }) => name),
  };
}

function onlyTypes(entries: readonly { readonly isType: boolean }[]): boolean {
  return entries.length > 0 && entries.every(({ isType }) => isType);
}

function resolved(from: string, name: string): string {
  return name.startsWith('.') ? normalize(join(dirname(from), name)) : name;
}

/** The 1-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
