import { sourceKinds } from '../source/kinds.ts';
import { isMapping, memberOf, type Located, type Member } from './document/located.ts';
import type { Problem } from './problem.ts';
import { keysOf, schemaAt } from './schema/at.ts';
import { metaOf } from './schema/meta.ts';
import { policy } from './schema/top.ts';

/** What a file says that a later version will do: each by its name and place. */
export function notBuilt(root: Located): readonly Problem[] {
  const top = keysOf(policy);
  const later = membersOf(root).filter(([key]) => top[key] && metaOf(top[key]).notBuilt === true);
  const components = membersOf(memberOf(root, 'components')).flatMap(([, { located }]) => ofComponent(located));
  return [...later.map(([key, { keyPlace }]) => told(key, keyPlace)), ...components];
}

function ofComponent(component: Located): readonly Problem[] {
  const schema = schemaAt(policy, ['components', 'any']);
  const keys = schema === undefined ? {} : keysOf(schema);
  return membersOf(component).flatMap(([key, { keyPlace }]) => {
    const isLater =
      (keys[key] && metaOf(keys[key]).notBuilt === true) ||
      (Object.hasOwn(sourceKinds, key) && sourceKinds[key]?.open === undefined);
    return isLater || key === 'log' ? [told(key, keyPlace)] : [];
  });
}

function told(key: string, place: Problem['place']): Problem {
  return { severity: 'not-built', place, message: `${key} is understood, and has no effect in this version` };
}

function membersOf(located: Located | undefined): readonly (readonly [string, Member])[] {
  return located !== undefined && isMapping(located.value) ? [...located.value] : [];
}
