import { stringify } from 'yaml';
import { isMapping, isSequence, memberOf, type Located } from './document/located.ts';
import { pathText, type Path } from './path.ts';
import { bare, defaultOf, keysOf, schemaAt } from './schema/at.ts';
import { policy } from './schema/top.ts';

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
export function explained(root: Located, component: string): readonly ExplainedLine[] | undefined {
  const components = memberOf(root, 'components');
  const found = components && memberOf(components, component);
  if (found === undefined) return undefined;
  const path = ['components', component];
  return [{ yaml: `${component}:`, origin: '' }, ...objectives(root, found), ...lines(found, path, 1)];
}

function objectives(root: Located, component: Located): readonly ExplainedLine[] {
  const tier = memberOf(component, 'tier')?.value;
  const tiers = memberOf(root, 'tiers');
  if (typeof tier !== 'string' || tiers === undefined) return [];
  const found = memberOf(tiers, tier);
  if (found === undefined) return [];
  const shown = lines(found, ['tiers', tier], 2);
  return [{ yaml: `  # objectives of the tier ${tier}`, origin: '' }, ...shown.map(commented)];
}

/** They are no key of the component: a comment, so that the output stays a component. */
function commented({ yaml, origin }: ExplainedLine): ExplainedLine {
  return { yaml: yaml.replace(/^ {4}/, '  #   '), origin };
}

function lines({ value, place }: Located, path: Path, depth: number): readonly ExplainedLine[] {
  if (isMapping(value)) {
    const members = [...value].flatMap(([key, { located }]) => keyed(key, located, [...path, key], depth));
    return [...members, ...defaults(new Set(value.keys()), path, depth)];
  }
  if (!isSequence(value)) return [{ yaml: indented(depth, scalar(value)), origin: originOf(place, path) }];
  return value.flatMap((item, index) => {
    const [first, ...rest] = lines(item, [...path, index], depth + 1);
    return first === undefined ? [] : [{ ...first, yaml: `${'  '.repeat(depth)}- ${first.yaml.trimStart()}` }, ...rest];
  });
}

function keyed(key: string, located: Located, path: Path, depth: number): readonly ExplainedLine[] {
  const { value, place } = located;
  const name = scalar(key);
  if (!isMapping(value) && !isSequence(value))
    return [{ yaml: indented(depth, `${name}: ${scalar(value)}`), origin: originOf(place, path) }];
  return [{ yaml: indented(depth, `${name}:`), origin: '' }, ...lines(located, path, depth + 1)];
}

/** Keys that the file leaves to Holdfast. */
function defaults(given: ReadonlySet<string>, path: Path, depth: number): readonly ExplainedLine[] {
  const schema = schemaAt(policy, path);
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
