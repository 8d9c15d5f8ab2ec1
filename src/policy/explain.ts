import { stringify } from 'yaml';
import type * as z from 'zod';
import type { SourceKinds } from '../source/kinds.ts';
import { isMapping, isSequence, memberOf, type Located } from './document/located.ts';
import { pathText, type Path } from './path.ts';
import { bare, defaultOf, keysOf, schemaAt } from './schema/at.ts';
import { policyOf } from './schema/top.ts';

/** A line of the effective policy, as YAML, and where its value comes from. */
export interface ExplainedLine {
  readonly yaml: string;
  /** `line 12`, `templates.web, line 30`, `Holdfast’s default`; empty for a line that only opens a mapping. */
  readonly origin: string;
}

/**
 * The effective policy of a component: all that holds for it, with the objectives of its tier, each value with where it
 * comes from. Undefined where there is no such component.
 */
export function explained(root: Located, component: string, kinds: SourceKinds): readonly ExplainedLine[] | undefined {
  const components = memberOf(root, 'components');
  const found = components && memberOf(components, component);
  if (found === undefined) return undefined;
  const path = ['components', component];
  const form = policyOf(kinds);
  return [
    { yaml: `${component}:`, origin: '' },
    ...objectives(root, found, form),
    ...lines(found, path, { form, depth: 1 }),
  ];
}

function objectives(root: Located, component: Located, form: z.core.$ZodType): readonly ExplainedLine[] {
  const tier = memberOf(component, 'tier')?.value;
  const tiers = memberOf(root, 'tiers');
  if (typeof tier !== 'string' || tiers === undefined) return [];
  const found = memberOf(tiers, tier);
  if (found === undefined) return [];
  const shown = lines(found, ['tiers', tier], { form, depth: 2 });
  return [{ yaml: `  # objectives of the tier ${tier}`, origin: '' }, ...shown.map(commented)];
}

/** They are no key of the component: a comment, so that the output stays a component. */
function commented({ yaml, origin }: ExplainedLine): ExplainedLine {
  return { yaml: yaml.replace(/^ {4}/, '  #   '), origin };
}

interface Within {
  /** Of the whole policy. */
  readonly form: z.core.$ZodType;
  readonly depth: number;
}

function lines({ value, place }: Located, path: Path, within: Within): readonly ExplainedLine[] {
  const { depth } = within;
  const inner = { ...within, depth: depth + 1 };
  if (isMapping(value)) {
    const members = [...value].flatMap(([key, { located }]) => keyed(key, located, [...path, key], within));
    return [...members, ...defaults(new Set(value.keys()), path, within)];
  }
  if (!isSequence(value)) return [{ yaml: indented(depth, scalar(value)), origin: originOf(place, path) }];
  return value.flatMap((item, index) => {
    const [first, ...rest] = lines(item, [...path, index], inner);
    return first === undefined ? [] : [{ ...first, yaml: `${'  '.repeat(depth)}- ${first.yaml.trimStart()}` }, ...rest];
  });
}

function keyed(key: string, located: Located, path: Path, within: Within): readonly ExplainedLine[] {
  const { value, place } = located;
  const { depth } = within;
  const name = scalar(key);
  if (!isMapping(value) && !isSequence(value))
    return [{ yaml: indented(depth, `${name}: ${scalar(value)}`), origin: originOf(place, path) }];
  return [{ yaml: indented(depth, `${name}:`), origin: '' }, ...lines(located, path, { ...within, depth: depth + 1 })];
}

/** Keys that the file leaves to Holdfast. */
function defaults(given: ReadonlySet<string>, path: Path, { form, depth }: Within): readonly ExplainedLine[] {
  const schema = schemaAt(form, path);
  if (schema === undefined) return [];
  return Object.entries(keysOf(bare(schema))).flatMap(([key, each]) => {
    const value = given.has(key) ? undefined : defaultOf(each);
    if (value === undefined || isEmpty(value)) return [];
    return [{ yaml: indented(depth, `${key}: ${scalar(value)}`), origin: 'Holdfast’s default' }];
  });
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function originOf(place: Located['place'], path: Path): string {
  const [from, here] = [pathText(place.path), pathText(path)];
  return from === here ? `line ${place.line}` : `${from}, line ${place.line}`;
}

function scalar(value: unknown): string {
  return stringify(value, { lineWidth: 0 }).trimEnd();
}

function indented(depth: number, text: string): string {
  return `${'  '.repeat(depth)}${text}`;
}
