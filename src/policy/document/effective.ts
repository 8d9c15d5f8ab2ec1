import { nearest } from '../../bytes/nearest.ts';
import type { Problem } from '../problem.ts';
import { isMapping, memberOf, merged, type Located, type Member } from './located.ts';

/**
 * The file with every component put together: defaults, then its template, then what it says itself. Mappings are joined
 * key by key; lists and single values are replaced.
 */
export function effective(root: Located): { readonly root: Located; readonly problems: readonly Problem[] } {
  const components = memberOf(root, 'components');
  if (!isMapping(root.value) || components === undefined || !isMapping(components.value)) return { root, problems: [] };
  const problems: Problem[] = [];
  const used = new Set<string>();
  const joined = new Map<string, Member>();
  for (const [name, member] of components.value)
    joined.set(name, { ...member, located: together(root, member.located, used, problems) });
  problems.push(...unusedTemplates(root, used));
  const kept = new Map([...root.value].filter(([key]) => key !== 'defaults' && key !== 'templates'));
  const place = root.value.get('components')?.keyPlace ?? root.place;
  kept.set('components', { keyPlace: place, located: { value: joined, place: components.place } });
  return { root: { value: kept, place: root.place }, problems };
}

function together(root: Located, component: Located, used: Set<string>, problems: Problem[]): Located {
  const below = [memberOf(root, 'defaults'), templateOf(root, component, used, problems)];
  const whole = below.filter((one) => one !== undefined).reduceRight((over, under) => merged(under, over), component);
  return isMapping(whole.value)
    ? { ...whole, value: new Map([...whole.value].filter(([key]) => key !== 'template')) }
    : whole;
}

function templateOf(root: Located, component: Located, used: Set<string>, problems: Problem[]): Located | undefined {
  const named = memberOf(component, 'template');
  if (named === undefined) return undefined;
  const templates = memberOf(root, 'templates');
  const name = typeof named.value === 'string' ? named.value : '';
  used.add(name);
  const found = templates && memberOf(templates, name);
  if (found !== undefined) return found;
  const known = templates && isMapping(templates.value) ? [...templates.value.keys()] : [];
  const guess = nearest(name, known);
  problems.push({ severity: 'error', place: named.place, message: 'there is no such template', nearest: guess });
  return undefined;
}

function unusedTemplates(root: Located, used: ReadonlySet<string>): readonly Problem[] {
  const templates = memberOf(root, 'templates');
  if (templates === undefined || !isMapping(templates.value)) return [];
  return [...templates.value]
    .filter(([name]) => !used.has(name))
    .map(([, { keyPlace }]) => ({
      severity: 'warning',
      place: keyPlace,
      message: 'no component takes this template, so it was not checked',
    }));
}
