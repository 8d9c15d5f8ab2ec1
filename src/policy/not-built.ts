import type * as z from 'zod';
import type { SourceKinds } from '../source/kinds.ts';
import { isMapping, memberOf, type Located, type Member } from './document/located.ts';
import type { Problem } from './problem.ts';
import { keysOf, schemaAt } from './schema/at.ts';
import { metaOf } from './schema/meta.ts';

/** What a file says that a later version will do: each by its name and place. */
export function notBuilt(root: Located, policy: z.core.$ZodType, kinds: SourceKinds): readonly Problem[] {
  const top = keysOf(policy);
  const later = membersOf(root).filter(([key]) => isNotBuilt(top, key));
  const at = schemaAt(policy, ['components', 'any']);
  const keys = at === undefined ? {} : keysOf(at);
  const components = membersOf(memberOf(root, 'components')).flatMap(([, { located }]) =>
    ofComponent(located, keys, kinds),
  );
  return [...later.map(([key, { keyPlace }]) => told(key, keyPlace)), ...components];
}

function ofComponent(component: Located, keys: ReturnType<typeof keysOf>, kinds: SourceKinds): readonly Problem[] {
  return membersOf(component).flatMap(([key, { keyPlace, located }]) => {
    const isLater = isNotBuilt(keys, key) || (Object.hasOwn(kinds, key) && kinds[key]?.open === undefined);
    return isLater || (key === 'log' && !isLogBuilt(component, located, kinds)) ? [told(key, keyPlace)] : [];
  });
}

function isLogBuilt(component: Located, log: Located, kinds: SourceKinds): boolean {
  const mode = memberOf(log, 'mode')?.value;
  return membersOf(component).some(
    ([key]) => Object.hasOwn(kinds, key) && kinds[key]?.logs?.some((one) => one === mode),
  );
}

/** A file may say `constructor` or `__proto__`, too. */
function isNotBuilt(keys: ReturnType<typeof keysOf>, key: string): boolean {
  const schema = Object.hasOwn(keys, key) ? keys[key] : undefined;
  return schema !== undefined && metaOf(schema).notBuilt === true;
}

function told(key: string, place: Problem['place']): Problem {
  return { severity: 'not-built', place, message: `${key} is understood, and has no effect in this version` };
}

function membersOf(located: Located | undefined): readonly (readonly [string, Member])[] {
  return located !== undefined && isMapping(located.value) ? [...located.value] : [];
}
