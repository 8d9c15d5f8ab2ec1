import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { codes, type ErrorCode } from '../../src/errors/codes.ts';
import { filesMatching, root } from '../tree.ts';
import type { Verdict } from './check.ts';
import { tableCells } from './table.ts';

const errorHeadings = ['## What it means', '## What is unharmed', '## What to do'];

/** Each error code has its page, each page its code. */
export function checkErrorPages(): Verdict {
  const wanted = Object.keys(codes).filter(isErrorCode);
  const pages = filesMatching('docs/errors/*.md').map((path) => basename(path, '.md'));
  const orphans = pages.filter((name) => name !== 'README' && !isErrorCode(name));
  const index = readFileSync(join(root, 'docs/errors/README.md'), 'utf8');
  const unlisted = wanted.filter((code) => !index.includes(`| [${code}](${code}.md) | ${codes[code].exit} |`));
  return {
    findings: [
      ...wanted.flatMap((code) => pageFindings(code)),
      ...unlisted.map((code) => `docs/errors/README.md does not list ${code} with its exit code`),
      ...orphans.map((name) => `docs/errors/${name}.md explains no code of src/errors/codes.ts`),
    ],
  };
}

function isErrorCode(name: string): name is ErrorCode {
  return Object.hasOwn(codes, name);
}

function pageFindings(code: string): readonly string[] {
  const path = `docs/errors/${code}.md`;
  if (!existsSync(join(root, path))) return [`${path} is missing`];
  const text = readFileSync(join(root, path), 'utf8');
  return errorHeadings.filter((heading) => !text.includes(`${heading}\n`)).map((heading) => `${path} lacks ${heading}`);
}

/** Each dependency has a row with its reason in docs/DEPENDENCIES.md, each row its dependency. */
export function checkDependencies(): Verdict {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const used = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((group) => namesIn(manifest, group));
  const rows = tableCells(readFileSync(join(root, 'docs/DEPENDENCIES.md'), 'utf8'));
  const explained = rows.map(([name = '']) => name.replaceAll('`', ''));
  return {
    findings: [
      ...used.filter((name) => !explained.includes(name)).map((name) => `${name} has no row in docs/DEPENDENCIES.md`),
      ...explained.filter((name) => !used.includes(name)).map((name) => `docs/DEPENDENCIES.md: ${name} is not used`),
    ],
  };
}

function namesIn(manifest: unknown, group: string): readonly string[] {
  if (typeof manifest !== 'object' || manifest === null) return [];
  const entries: unknown = Object.entries(manifest).find(([name]) => name === group)?.[1];
  return typeof entries === 'object' && entries !== null ? Object.keys(entries) : [];
}
