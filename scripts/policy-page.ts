import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as z from 'zod';
import { bare, defaultOf, definitionOf, keysOf } from '../src/policy/schema/at.ts';
import { metaOf } from '../src/policy/schema/meta.ts';
import { fragments, policyOf } from '../src/policy/schema/top.ts';
import { sourceKinds } from '../src/source/kinds.ts';
import { root } from './tree.ts';

/** docs/policy.md: the reference of the policy file, written from its form. `node scripts/policy-page.ts` writes it anew. */
const pageFile = join(root, 'docs/policy.md');
const marker = '<!-- From here on the page is written from the form: node scripts/policy-page.ts -->\n';

export function policyPage(): { readonly there: string; readonly wanted: string } {
  const there = readFileSync(pageFile, 'utf8');
  const head = there.slice(0, there.indexOf(marker));
  const policy = policyOf(sourceKinds);
  const tables = [
    `## The file\n\n${table(policy)}\n${fragmentRows()}`,
    ...sections(policy, '').map(({ path, schema }) => `## \`${path}\`\n\n${table(schema)}\n`),
  ];
  return { there, wanted: `${head}${marker}\n${tables.join('\n')}` };
}

interface Section {
  readonly path: string;
  readonly schema: z.core.$ZodType;
}

/** Every mapping with keys of its own, in the order of the form; `NAME` stands for a name of one's own. */
function sections(schema: z.core.$ZodType, path: string): readonly Section[] {
  return Object.entries(keysOf(schema)).flatMap(([key, each]) => {
    const { at, schema: inner } = within(each, path === '' ? key : `${path}.${key}`);
    if (Object.keys(keysOf(inner)).length === 0) return [];
    return [{ path: at, schema: inner }, ...sections(inner, at)];
  });
}

/** Through lists and names of one's own. */
function within(schema: z.core.$ZodType, path: string): { readonly at: string; readonly schema: z.core.$ZodType } {
  const def = definitionOf(bare(schema));
  if (def.type === 'record') return within(def.valueType, `${path}.NAME`);
  return def.type === 'array' ? within(def.element, `${path}[]`) : { at: path, schema };
}

function table(schema: z.core.$ZodType): string {
  const rows = Object.entries(keysOf(schema)).map(([key, each]) => row(key, each));
  return ['| key | what | value | example |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function row(key: string, schema: z.core.$ZodType): string {
  const { title = '', description = '', examples = [], notBuilt = false } = metaOf(schema);
  const standard = defaultOf(schema);
  const isMapping = typeof standard === 'object';
  const fallback = standard === undefined || isMapping ? '' : `, ${JSON.stringify(standard)} where it isn’t said`;
  const example = examples[0] === undefined ? '' : `\`${JSON.stringify(examples[0])}\``;
  const what = `${description}${notBuilt ? ' (not built yet)' : ''}`;
  return `| \`${key}\` | ${what} | ${valuesOf(schema) ?? title}${fallback} | ${example} |`.replaceAll('  ', ' ');
}

function valuesOf(schema: z.core.$ZodType): string | undefined {
  const def = definitionOf(bare(schema));
  if (def.type === 'enum') return Object.values(def.entries).join(', ');
  return def.type === 'boolean' ? 'true or false' : undefined;
}

function fragmentRows(): string {
  return Object.entries(fragments)
    .map(([key, what]) => `| \`${key}\` | ${what} | | |\n`)
    .join('');
}

if (import.meta.main) writeFileSync(pageFile, policyPage().wanted);
