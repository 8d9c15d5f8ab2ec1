import { HoldfastError } from '../../errors/error.ts';
import { parseTagList } from '../../retention/tags.ts';
import type { TagChange } from '../../snapshot/tags.ts';
import type { tagOptions } from '../commands/tag.ts';
import type { Values } from '../option.ts';

export function changeOf({ add, remove, set }: Values<typeof tagOptions>): TagChange {
  if (set.length + add.length + remove.length === 0)
    throw new HoldfastError('usage', 'tag: say --add, --remove or --set');
  if (set.length === 0) return { add: add.flatMap(parseTagList), remove: remove.flatMap(parseTagList) };
  if (add.length + remove.length > 0)
    throw new HoldfastError('usage', '--set and --add or --remove can’t stand together');
  return { set: set.flatMap(parseTagList) };
}
